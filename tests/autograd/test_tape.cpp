#include <doctest/doctest.h>

#include <cmath>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/arithmetic.hpp>
#include <maskgrad/autograd/ops/cast.hpp>
#include <maskgrad/autograd/ops/mask_ops.hpp>
#include <maskgrad/autograd/ops/matmul.hpp>
#include <maskgrad/autograd/parameter.hpp>
#include <maskgrad/core/random.hpp>

#include "throws.hpp"

namespace maskgrad::tests {
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

  TEST_CASE("a parameter that has changed since") {
    const Parameter w(scalar(3, DType::f64), "dense/kernel");
    const Tensor x = number(2);
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
    CHECK(values(w.value()) == Doubles{0, 0});
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
    total(w * 2).backward();
    CHECK(values(w.grad()) == Doubles{2, 2});
    CHECK(throws<ShapeError>([&] { w.set_grad(zeros({3}, DType::f64)); }, "'w'"));
    w.set_grad(ones({2}, DType::f64));
    CHECK(values(w.grad()) == Doubles{1, 1});
    w.clear_grad();
    CHECK_FALSE(w.grad().defined());
  }

  TEST_CASE("a value read from a parameter does not change with it") {
    const Parameter w(ones({2}, DType::f64), "w");
    const Tensor before = w.value();
    w.set(zeros({2}, DType::f64));
    CHECK(values(before) == Doubles{1, 1});
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

  TEST_CASE("a chain of a million steps neither overflows backward nor the end of it") {
    const Tensor x = number(0), one = scalar(1, DType::f64);
    {
      Tensor y = x;
      for (int i = 0; i < 1000000; ++i) y = y + one;
      CHECK(y.item() == 1000000);
      y.backward();
    }
    CHECK(x.grad().item() == 1);
    {
      Tensor y = x;
      for (int i = 0; i < 1000000; ++i) y = y + one;
    }  // ends without a backward
    CHECK(x.grad().item() == 1);
  }

  TEST_CASE("a step that has run before takes no memory from the system") {
    const Parameter w(random_normal({16, 16}, {1}), "w");
    const Mask mask = Mask::from_lengths({7, 0, 3, 12}, 12);
    const Tensor x = random_normal({4, 12, 16}, {2});
    std::int64_t from = 0;
    for (int step = 0; step < 10; ++step) {
      if (step == 2) from = memory::stats().heap_allocations;
      Tensor h = x.with_mask(mask);
      for (int layer = 0; layer < 3; ++layer) h = maximum(matmul(h, w), 0) + 0.1;
      const Tensor ones_column = ones({16, 1});
      const Tensor y = matmul(h, ones_column);
      const Tensor seed = rows::make_zeros(y.shape(), y.dtype(), y.mask());
      tape::backward({&y, 1}, {&seed, 1});
      w.clear_grad();
    }
    CHECK(memory::stats().heap_allocations == from);
  }

  TEST_CASE("the memory of a step follows the valid rows") {
    auto bytes = [](std::int64_t valid) {
      const Tensor x = random_normal({8, 64, 32}, {2})
                           .with_mask(Mask::from_lengths(std::vector<std::int64_t>(8, valid), 64));
      const Parameter w(random_normal({32, 32}, {1}), "w");
      memory::reset_high_water();
      const auto before = memory::stats().bytes_in_use;
      Tensor h = x;
      for (int layer = 0; layer < 4; ++layer) h = maximum(matmul(h, w), 0) + 0.1;
      const Tensor seed = rows::make_zeros(h.shape(), h.dtype(), h.mask());
      tape::backward({&h, 1}, {&seed, 1});
      return static_cast<double>(memory::stats().high_water - before);
    };
    const double all = bytes(64), quarter = bytes(16);
    CHECK(quarter < 0.35 * all);
    CHECK(bytes(0) < 0.05 * all);
  }
}

}  // namespace maskgrad::tests
