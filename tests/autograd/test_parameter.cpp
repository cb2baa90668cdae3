#include <doctest/doctest.h>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/autograd/parameter.hpp>
#include <maskgrad/core/random.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_parameter {

TEST_SUITE("parameters") {
  TEST_CASE("a parameter that has changed since") {
    const Parameter w(scalar(3, DType::f64), "dense/kernel");
    const Tensor x = scalar(2, DType::f64).with_grad();
    const Tensor reads = x * w, does_not = x + w;
    w.set(scalar(5, DType::f64));
    CHECK(throws<GradError>([&] { reads.backward(); }, "multiply needs f64[] 'dense/kernel'",
                            "changed since", "run backward before the change"));
    CHECK_FALSE(x.grad().defined());
    CHECK_FALSE(w.grad().defined());
    does_not.backward();
    CHECK(w.grad().item() == 1);
    CHECK(w.value().item() == 5);
  }

  TEST_CASE("parameters") {
    const Parameter none;
    CHECK_FALSE(none.defined());
    CHECK(throws<StateError>([&] { none.tensor(); }, "was not built", "build("));
    const Parameter w(ones({2}, DType::f64), "w");
    const Parameter same = w, other = w.clone(DType::f32);
    CHECK(w.same(same));
    CHECK_FALSE(w.same(other));
    CHECK(other.dtype() == DType::f32);
    CHECK(other.name() == "w");
    same.set(zeros({2}, DType::f64));
    CHECK(w.value().to_vector<double>() == std::vector<double>{0, 0});
    CHECK(other.value().to_vector<float>() == std::vector<float>{1, 1});
    CHECK(throws<ShapeError>([&] { w.set(zeros({3}, DType::f64)); },
                             "set: parameter 'w' has "
                             "shape [2]",
                             "f64[3]"));
    CHECK(throws<TypeError>([&] { w.set(zeros({2})); }, "'w' is f64", "f32[2]", "cast"));
    CHECK(
        throws<MaskError>([] { Parameter(from_sequences<float>({{1}}), "v"); }, "'v'", "no mask"));
    w.set_trainable(false);
    CHECK_FALSE(w.tensor().on_tape());
    w.set_trainable(true);
    sum(w * 2).backward();
    CHECK(w.grad().to_vector<double>() == std::vector<double>{2, 2});
    CHECK(throws<ShapeError>([&] { w.set_grad(zeros({3}, DType::f64)); }, "'w'"));
    w.set_grad(ones({2}, DType::f64));
    CHECK(w.grad().to_vector<double>() == std::vector<double>{1, 1});
    w.clear_grad();
    CHECK_FALSE(w.grad().defined());
  }

  TEST_CASE("a value read from a parameter does not change with it") {
    const Parameter w(ones({2}, DType::f64), "w");
    const Tensor before = w.value();
    w.set(zeros({2}, DType::f64));
    CHECK(before.to_vector<double>() == std::vector<double>{1, 1});
  }
}

}  // namespace maskgrad::tests::test_parameter
