#include <doctest/doctest.h>

#include <cmath>

#include <maskgrad/autograd/checking.hpp>
#include <maskgrad/autograd/checkpoint.hpp>
#include <maskgrad/autograd/derivatives.hpp>
#include <maskgrad/autograd/gradcheck.hpp>
#include <maskgrad/autograd/hooks.hpp>
#include <maskgrad/autograd/ops.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_hooks {

Tensor numbers(const Shape& shape, std::uint64_t seed) {
  return random_normal(shape, {seed}, DType::f64);
}

TEST_SUITE("derivatives") {
  TEST_CASE("a hook sees, changes or replaces what flows back") {
    const Tensor x = numbers({3}, 1).with_grad();
    Tensor seen;
    const auto g = gradients(sum(hook(x * 2, [&](const Tensor& dy) { seen = dy; }) * 5), {x})[0];
    CHECK(checking::value_at(seen, 0) == 5);
    CHECK(checking::value_at(g, 0) == 10);
    const auto clipped =
        gradients(sum(hook(x, [](const Tensor& dy) { return clip(dy, -1, 1); }) * 5), {x})[0];
    CHECK(checking::value_at(clipped, 0) == 1);
    CHECK(throws<GradError>(
        [&] { gradients(sum(hook(x, [](const Tensor&) { return zeros({2}); })), {x}); },
        "its backward gave a gradient f32[2]; expected f64[3]"));
  }

  TEST_CASE("a hook of operations is differentiated twice") {
    // y = x whose gradient is 3 dy: of sum(y^2) it is 6 x, and that of sum(g^2) 2 g * 6, by the
    // hook once more where the gradient goes back through y.
    const Tensor x = numbers({3}, 2).with_grad();
    const Tensor y = hook(x, [](const Tensor& dy) { return dy * 3; });
    const Tensor g = gradients(sum(square(y)), {x}, {.create_graph = true})[0];
    const Tensor second = gradients(sum(square(g)), {x})[0];
    for (std::int64_t i = 0; i < 3; ++i) {
      const double v = checking::value_at(x, i);
      CHECK(checking::value_at(g, i) == doctest::Approx(6 * v));
      CHECK(checking::value_at(second, i) == doctest::Approx(2 * 6 * v * 3 * 2 * 3));
    }
  }

  TEST_CASE("straight through: the value of one, the gradient of the other") {
    const Tensor x = numbers({4}, 3).with_grad();
    const Tensor y = straight_through(round(x), x);
    CHECK(checking::identical(y.value(), round(x.value())));
    CHECK(checking::value_at(gradients(sum(y * 3), {x})[0], 2) == 3);
    CHECK(throws<ShapeError>([&] { straight_through(zeros({2}, DType::f64), x); },
                             "the value is f64[2] for x f64[4]"));
  }

  TEST_CASE("a gradient of one's own, of any order") {
    const auto root = [](const Tensor& x) {
      return custom_gradient(
          {x}, [](const std::vector<Tensor>& in) { return sqrt(in[0]); },
          [](const Tensor& dy, const std::vector<Tensor>&, const Tensor& y) {
            return std::vector<Tensor>{dy / (2 * y)};
          });
    };
    CHECK(gradcheck(root, {square(numbers({3}, 4)) + 0.5}, {.order = 2}));
    const Tensor x = ones({2}, DType::f64).with_grad();
    const Tensor y = custom_gradient(
        {x}, [](const std::vector<Tensor>& in) { return in[0]; },
        [](const Tensor&, const std::vector<Tensor>&, const Tensor&) {
          return std::vector<Tensor>{};
        });
    CHECK(throws<GradError>([&] { gradients(sum(y), {x}); }, "backward gave 0 gradients for 1"));
  }

  TEST_CASE("a checkpoint has the same bits, and f's inner values are made twice") {
    const Parameter w(numbers({4, 4}, 5), "w");
    int calls = 0;
    const auto f = [&](const Tensor& t) {
      ++calls;
      return dropout(tanh(matmul(t, w)), 0.5, {3}) * t;
    };
    const Tensor x = numbers({6, 4}, 6).with_grad();
    const auto plain = gradients(sum(f(x)), {x, w});
    calls = 0;
    const Tensor y = checkpoint(f)(x);
    CHECK(calls == 1);
    const auto again = gradients(sum(y), {x, w}, {.create_graph = true});
    CHECK(calls == 2);
    CHECK(checking::identical(plain[0], again[0].value()));
    CHECK(checking::identical(plain[1], again[1].value()));
    CHECK(gradcheck(
        [&](const Tensor& t) { return checkpoint([](const Tensor& s) { return exp(s) * s; })(t); },
        {numbers({3}, 7)}, {.order = 2}));
  }

  TEST_CASE("checkpoints in checkpoints, and what they read from outside") {
    const Tensor x = numbers({3}, 8).with_grad();
    const Tensor outside = x * 2;
    const auto inner = checkpoint([&](const Tensor& t) { return sin(t) * outside; });
    const auto outer = checkpoint([&](const Tensor& t) { return inner(t) + exp(t); });
    const auto g = gradients(sum(outer(x)), {x}, {.retain = true})[0];
    const auto plain = gradients(sum(sin(x) * outside + exp(x)), {x})[0];
    for (std::int64_t i = 0; i < 3; ++i) {
      CHECK(checking::value_at(g, i) == doctest::Approx(checking::value_at(plain, i)));
    }
  }
}

}  // namespace maskgrad::tests::test_hooks
