#include <doctest/doctest.h>

#include <cmath>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/cast.hpp>
#include <maskgrad/autograd/ops/linear/matmul.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/autograd/parameter.hpp>
#include <maskgrad/core/random.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_tape {
namespace {

using Doubles = std::vector<double>;

Tensor number(double value) {
  return scalar(value, DType::f64).with_grad();
}

Doubles values(const Tensor& x) {
  return x.to_vector<double>();
}

/// The sum of all stored values, written with the tape alone.
Tensor total(const Tensor& x) {
  double sum = 0;
  for (double v : rows::of<double>(x)) sum += v;
  return record("total", scalar(sum, DType::f64), {x}, [x = x.value()](const Tensor& dy, Grads& g) {
    for (auto& v : g.into<double>(0)) v += dy.item();
  });
}

/// y = x whose backward throws.
Tensor broken(const Tensor& x) {
  return record("broken", x.value(), {x},
                [](const Tensor&, Grads&) { fail<StateError>("broken", "on purpose"); });
}

}  // namespace

TEST_SUITE("tape") {
  TEST_CASE("a gradient by hand") {
    const Tensor a = number(3), b = number(4);
    const Tensor y = a * b + a / b;
    CHECK(y.on_tape());
    y.backward();
    CHECK(a.grad().item() == 4 + 0.25);
    CHECK(b.grad().item() == 3 - 3.0 / 16);
  }

  TEST_CASE("what two results share is counted once for each") {
    const Tensor x = number(2);
    const Tensor square = x * x;
    const Tensor y = square * square + square;  // x^4 + x^2
    y.backward();
    CHECK(x.grad().item() == 4 * 8 + 2 * 2);
    const Tensor z = number(5);
    (z + z + z).backward();
    CHECK(z.grad().item() == 3);
  }

  TEST_CASE("gradients add up in leaves until they are cleared") {
    const Tensor x = number(2);
    CHECK_FALSE(x.grad().defined());
    (x * 3).backward();
    (x * 4).backward();
    CHECK(x.grad().item() == 7);
    const Tensor held = x.grad();
    (x * 1).backward();
    CHECK(held.item() == 7);  // what was read does not change under the reader
    CHECK(x.grad().item() == 8);
    x.clear_grad();
    CHECK_FALSE(x.grad().defined());
  }

  TEST_CASE("a handle copied is the same leaf, with_grad another") {
    const Tensor x = number(2);
    const Tensor same = x, other = x.with_grad();
    (same * 3).backward();
    CHECK(x.grad().item() == 3);
    CHECK_FALSE(other.grad().defined());
  }

  TEST_CASE("backward twice") {
    const Tensor x = number(2);
    const Tensor shared = x * x;
    const Tensor y = shared * 2, z = shared * 3;
    y.backward();
    CHECK(throws<GradError>([&] { y.backward(); }, "backward: the tape behind 'multiply'",
                            "already used", "compute the loss again"));
    CHECK(throws<GradError>([&] { z.backward(); }, "already used"));
    CHECK(x.grad().item() == 8);
  }

  TEST_CASE("kept, the tape can be used again") {
    const Tensor x = number(2);
    const Tensor y = x * x, seed = scalar(1, DType::f64);
    tape::backward({&y, 1}, {&seed, 1}, {.retain = true});
    tape::backward({&y, 1}, {&seed, 1}, {.retain = true});
    CHECK(x.grad().item() == 8);
    y.backward();
    CHECK(x.grad().item() == 12);
  }

  TEST_CASE("what backward cannot start from") {
    const Tensor x = ones({2, 3}, DType::f64).with_grad();
    CHECK(throws<GradError>([&] { (x * 2).backward(); }, "the tensor is f64[2, 3]",
                            "expected a scalar", "mean(x) or sum(x)"));
    CHECK(throws<GradError>([] { scalar(1).backward(); }, "f32[] is not on the tape"));
    CHECK(throws<GradError>([&] { (x * 2).grad(); }, "grad: f64[2, 3] is no leaf", "with_grad()"));
    CHECK(throws<GradError>([&] { (x * 2).clear_grad(); }, "clear_grad", "no leaf"));
    CHECK(throws<GradError>([] { scalar(1).grad(); }, "no leaf"));
    CHECK(throws<TypeError>([] { arange(2).with_grad(); }, "with_grad: i64[2]", "f32 or f64"));
    CHECK(throws<StateError>([] { Tensor().backward(); }));
    CHECK(throws<StateError>([] { Tensor().with_grad(); }));
    const Tensor one = ones({1, 1}, DType::f64).with_grad();
    CHECK_NOTHROW((one * 2).backward());
    CHECK(one.grad().shape() == Shape{1, 1});
    CHECK_NOTHROW(number(1).backward());  // a leaf itself
  }

  TEST_CASE("under NoGrad and Evaluate nothing is recorded") {
    const Tensor x = number(2);
    CHECK(recording());
    CHECK(training());
    {
      const NoGrad no_grad;
      CHECK_FALSE(recording());
      CHECK(training());
      CHECK_FALSE((x * x).on_tape());
      {
        const Evaluate evaluate;
        CHECK_FALSE(training());
      }
      CHECK(training());
      CHECK_FALSE(recording());
    }
    CHECK(recording());
    {
      const Evaluate evaluate;
      CHECK_FALSE((x * x).on_tape());
      CHECK(throws<GradError>([&] { (x * x).backward(); }, "under NoGrad or Evaluate"));
    }
    CHECK(training());
    CHECK((x * x).on_tape());
    CHECK_FALSE((scalar(1, DType::f64) * 2).on_tape());
  }

  TEST_CASE("an error in backward leaves every leaf as it was") {
    const Tensor a = number(2), b = number(3);
    (a * 5).backward();
    const Tensor y = b * 7 + broken(a * b);
    CHECK(throws<StateError>([&] { y.backward(); }, "broken: on purpose"));
    CHECK(a.grad().item() == 5);
    CHECK_FALSE(b.grad().defined());
    (a * b).backward();
    CHECK(a.grad().item() == 8);
    CHECK(b.grad().item() == 2);
  }

  TEST_CASE("a backward that gives a wrong gradient is named") {
    const Tensor x = ones({2, 3}, DType::f64).with_grad();
    const auto bad = [](const Tensor& from, const Tensor& g) {
      return record("mine", scalar(0, DType::f64), {from},
                    [g](const Tensor&, Grads& grads) { grads.add(0, g); });
    };
    CHECK(throws<GradError>([&] { bad(x, ones({3}, DType::f64)).backward(); },
                            "mine: its backward gave a gradient f64[3]", "f64[2, 3]"));
    CHECK(throws<GradError>([&] { bad(x, ones({2, 3})).backward(); }, "f32[2, 3]"));
    const Mask m = Mask::from_lengths({1, 2}, 3);
    CHECK(throws<GradError>(
        [&] {
          bad(x, ones({2, 3}, DType::f64).with_mask(m)).backward();
        },
        "mask [2, 3]"));
    const Tensor masked = ones({2, 3}, DType::f64).with_mask(m).with_grad();
    CHECK(throws<GradError>(
        [&] {
          bad(masked, ones({2, 3}, DType::f64)).backward();
        },
        "with the input's mask"));
    CHECK_FALSE(x.grad().defined());
  }

  TEST_CASE("a gradient has its tensor's mask, and reads as zero elsewhere") {
    const Mask m = Mask::keep({{false, true}, {true, false}});
    const Tensor x = tensor<double>({1, 2, 3, 4}, {2, 2}).with_mask(m).with_grad();
    total(x * x).backward();
    CHECK(x.grad().mask() == m);
    CHECK(values(x.grad()) == Doubles{0, 4, 6, 0});
    const Tensor dense = tensor<double>({std::nan(""), 2, 3, std::nan("")}, {2, 2}).with_grad();
    total(dense.with_mask(m) * 3).backward();
    CHECK(values(dense.grad()) == Doubles{0, 3, 3, 0});
    CHECK_FALSE(dense.grad().has_mask());
  }

  TEST_CASE("several results, of which some are used") {
    const Tensor x = number(3);
    auto both = [&] {
      return record_many("both", {scalar(6, DType::f64), scalar(9, DType::f64)}, {x}, [](Grads& g) {
        double sum = 0;
        if (g.output(0).defined()) sum += 2 * g.output(0).item();
        if (g.output(1).defined()) sum += 6 * g.output(1).item();
        g.add(0, scalar(sum, DType::f64));
      });
    };
    both()[1].backward();
    CHECK(x.grad().item() == 6);
    const auto y = both();
    (y[0] + y[1]).backward();
    CHECK(x.grad().item() == 14);
    const NoGrad no_grad;
    CHECK_FALSE(both()[0].on_tape());
  }

  TEST_CASE("cast sends the gradient back in the input's type") {
    const Tensor x = tensor<float>({1, 2}, {2}).with_grad();
    total(cast(x, DType::f64) * 3).backward();
    CHECK(x.grad().dtype() == DType::f32);
    CHECK(x.grad().to_vector<float>() == std::vector<float>{3, 3});
    CHECK_FALSE(cast(x, DType::i64).on_tape());
    CHECK(throws<TypeError>([] { cast(full({1}, std::nan("")), DType::i64); }, "does not fit i64"));
  }

  TEST_CASE("stop_gradient stops it") {
    const Tensor x = number(3);
    (x * stop_gradient(x)).backward();
    CHECK(x.grad().item() == 3);
    CHECK_FALSE(stop_gradient(x).on_tape());
  }
}

}  // namespace maskgrad::tests::test_tape
