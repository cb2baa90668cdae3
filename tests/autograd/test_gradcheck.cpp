#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <maskgrad/autograd/gradcheck.hpp>
#include <maskgrad/autograd/ops/linear/matmul.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>

#include "autograd/scaled.hpp"
#include "throws.hpp"

// The checks themselves: each fault must be found, where it is.

namespace maskgrad::tests::test_gradcheck {

TEST_SUITE("gradcheck") {
  TEST_CASE("right gradients pass, and the report counts") {
    const auto report = gradcheck([](const Inputs& x) { return x[0] * x[1] / (x[1] + 5); },
                                  {sample({2, 3}), sample({3})});
    CHECK(report);
    CHECK(report.checked == 9);
    CHECK(report.str().find("9 gradients agree; worst: input ") == 0);
  }

  TEST_CASE("a wrong one is found, and where it is") {
    const auto report =
        gradcheck([](const Tensor& x) { return scaled(x, 2, 2.0001); }, {sample({2, 3})});
    CHECK_FALSE(report);
    CHECK(report.wrong == 6);
    CHECK(report.variable == "input 0");
    CHECK(report.difference ==
          doctest::Approx(0.0001 / 2 * std::abs(report.numeric)).epsilon(0.01));
    CHECK(report.str().find("6 of 6 gradients wrong; worst: input 0[") == 0);
    CHECK(gradcheck([](const Tensor& x) { return scaled(x, 2, 2.000001); }, {sample({2})}));
  }

  TEST_CASE("one wrong value among many") {
    const auto report = gradcheck(
        [](const Tensor& x) {
          return record("mine", x.value(), {x}, [](const Tensor& dy, Grads& g) {
            g.add(0, dy);
            g.into<double>(0)[3] += 0.1;
          });
        },
        {sample({4, 2}).with_mask(Mask::keep(std::vector<bool>{1, 0, 1, 1}, {4}))});
    CHECK(report.wrong == 1);
    CHECK(report.position == std::vector<std::int64_t>{2, 1});  // row 1 is position 2
    CHECK(report.difference == doctest::Approx(0.1));
  }

  TEST_CASE("no gradient at all, and one that is NaN") {
    CHECK_FALSE(gradcheck([](const Tensor& x) { return stop_gradient(x); }, {sample({2})}));
    const auto report = gradcheck(
        [](const Tensor& x) { return scaled(x, 1, std::numeric_limits<double>::quiet_NaN()); },
        {sample({2})});
    CHECK_FALSE(report);
    CHECK(std::isnan(report.analytic));
    // An input that is not used has the gradient 0, and needs none.
    CHECK(gradcheck([](const Inputs& x) { return x[0] * 2; }, {sample({2}), sample({2})}));
  }

  TEST_CASE("a backward that gives an unwanted gradient alone, or another one") {
    const auto report = gradcheck(
        [](const Inputs& x) {
          return record("mine", (x[0].value() + x[1].value()).value(), {x[0], x[1]},
                        [](const Tensor& dy, Grads& g) {
                          g.add(0, dy);
                          g.add(1, g.wants(0) ? dy : dy * 3);
                        });
        },
        {sample({2}), sample({2})});
    CHECK_FALSE(report);
    CHECK(report.str().find("where only it is wanted") != std::string::npos);
  }

  TEST_CASE("results that change from call to call") {
    double n = 0;
    const auto report = gradcheck([&](const Tensor& x) { return x + ++n; }, {sample({2})});
    CHECK_FALSE(report);
    CHECK(report.str().find("result 0 changes from call to call") != std::string::npos);
  }

  TEST_CASE("parameters that f holds") {
    const Parameter w(sample({3, 2}), "dense/kernel");
    const Tensor x = sample({4, 3});
    const auto f = [&](const Inputs& in) { return matmul(in[0], w); };
    CHECK(gradcheck(f, {x}, {.variables = {variable_of(w)}}).checked == 18);
    CHECK(w.value().to_vector<double>() == sample({3, 2}).to_vector<double>());
    CHECK_FALSE(w.grad().defined());
    CHECK(w.trainable());
    const auto wrong = [&](const Inputs& in) { return matmul(in[0], scaled(w, 1, 1.5)); };
    const auto report = gradcheck(wrong, {x}, {.variables = {variable_of(w)}});
    CHECK(report.wrong == 6);
    CHECK(report.variable == "dense/kernel");
  }

  TEST_CASE("several results, ids beside them, and nothing to check") {
    CHECK(gradcheck(
        [](const Inputs& x) {
          return Inputs{x[0] * 2, x[1], equal(x[1], x[1])};
        },
        {sample({2}), arange(2)}));
    CHECK(throws<GradError>([] { gradcheck([](const Inputs& x) { return x[0]; }, {arange(2)}); },
                            "gradcheck: none of the 1 results of f is real"));
    CHECK(throws<TypeError>([] { gradcheck([](const Tensor& x) { return x; }, {ones({2})}); },
                            "input 0 is f32[2]", "need f64"));
    CHECK(gradcheck([](const Tensor& x) { return x * x; }, {zeros({0, 3}, DType::f64)}));
  }
}

}  // namespace maskgrad::tests::test_gradcheck
