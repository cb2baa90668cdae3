#include <doctest/doctest.h>

#include <cmath>

#include <maskgrad/autograd/checking.hpp>
#include <maskgrad/autograd/derivatives.hpp>
#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/gradcheck.hpp>
#include <maskgrad/autograd/ops.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_derivatives {

double at(const Tensor& x, std::int64_t i) {
  return checking::value_at(x, i);
}

Tensor numbers(const Shape& shape, std::uint64_t seed) {
  return random_normal(shape, {seed}, DType::f64);
}

Mask some_steps() {
  return Mask::from_lengths(std::vector<std::int64_t>{3, 0, 5}, 5);
}

TEST_SUITE("derivatives") {
  TEST_CASE("gradients are values, and what tensors hold stays as it is") {
    const Tensor x = numbers({3}, 1).with_grad(), w = numbers({3}, 2).with_grad();
    const Tensor y = sum(square(x) * w);
    const auto g = gradients(y, {x, w});
    CHECK(at(g[0], 1) == doctest::Approx(2 * at(x, 1) * at(w, 1)));
    CHECK(at(g[1], 2) == doctest::Approx(at(x, 2) * at(x, 2)));
    CHECK(!x.grad().defined());
  }

  TEST_CASE("gradients by a tensor on the way are those behind it alone") {
    const Tensor x = numbers({4}, 3).with_grad();
    const Tensor middle = square(x);
    const Tensor y = sum(middle * x);
    const auto g = gradients(y, {middle, x}, {.retain = true});
    CHECK(at(g[0], 0) == doctest::Approx(at(x, 0)));
    CHECK(at(g[1], 0) == doctest::Approx(3 * at(x, 0) * at(x, 0)));
    CHECK(at(gradients(y, {y})[0], 0) == 1);
  }

  TEST_CASE("the same gradient with and without a graph of it, to the bit") {
    const Tensor x = numbers({3, 5, 4}, 4).with_mask(some_steps()).with_grad();
    const Tensor w = numbers({4, 6}, 5).with_grad();
    const auto loss = [&] { return mean(softmax(matmul(tanh(x), w)) * gelu(matmul(x, w))); };
    const auto plain = gradients(loss(), {x, w});
    const auto graph = gradients(loss(), {x, w}, {.create_graph = true});
    CHECK(checking::identical(plain[0], graph[0].value()));
    CHECK(checking::identical(plain[1], graph[1].value()));
    CHECK(graph[0].mask() == x.mask());
  }

  TEST_CASE("derivatives of the fourth order") {
    const Tensor x = tensor({0.7}, {1}).with_grad();
    Tensor y = sum(sin(x) * exp(x));
    for (int order = 0; order < 4; ++order) {
      y = sum(gradients(y, {x}, {.create_graph = true})[0]);
    }
    // The fourth derivative of sin(x) e^x is -4 sin(x) e^x.
    CHECK(y.item() == doctest::Approx(-4 * std::sin(0.7) * std::exp(0.7)).epsilon(1e-12));
  }

  TEST_CASE("backward with a graph leaves gradients that can be differentiated") {
    const Tensor x = tensor({2.0}, {1}).with_grad();
    sum(x * x * x).backward({.create_graph = true});
    const Tensor second = gradients(sum(x.grad()), {x})[0];
    CHECK(at(second, 0) == doctest::Approx(12));
    x.clear_grad();
    const Tensor y = sum(x * x);
    y.backward({.retain = true});
    y.backward();
    CHECK(at(x.grad(), 0) == doctest::Approx(8));
  }

  TEST_CASE("a penalty on the gradient trains as differences say") {
    const Tensor x = numbers({3, 5, 4}, 6).with_mask(some_steps());
    const Callable penalty = [&](const Tensor& w) {
      const Tensor in = x.with_grad();
      const detail::Recording on(true);
      const Tensor g = gradients(sum(tanh(matmul(in, w))), {in}, {.create_graph = true})[0];
      return sum(square(norm(g, {-1}) - 1));
    };
    CHECK(gradcheck(penalty, {numbers({4, 3}, 7)}));
  }

  TEST_CASE("products with Jacobian and Hessian equal those that are written out") {
    const Tensor x = numbers({2, 3}, 8), v = numbers({2, 3}, 9), u = numbers({2, 3}, 10);
    const auto f = [](const Tensor& t) { return cumsum(sin(t) * t, -1); };
    const Tensor j = jacobian(f, x);
    CHECK(j.shape() == Shape{2, 3, 2, 3});
    const Tensor jv = jvp(f, x, v), uj = vjp(f, x, u);
    for (std::int64_t i = 0; i < 6; ++i) {
      double forward = 0, back = 0;
      for (std::int64_t k = 0; k < 6; ++k) {
        forward += at(j, i * 6 + k) * at(v, k);
        back += at(u, k) * at(j, k * 6 + i);
      }
      CHECK(at(jv, i) == doctest::Approx(forward));
      CHECK(at(uj, i) == doctest::Approx(back));
    }
    const auto g = [](const Tensor& t) { return sum(exp(t) * cumprod(t, -1)); };
    const Tensor h = hessian(g, x), hv = hvp(g, x, v);
    for (std::int64_t i = 0; i < 6; ++i) {
      double sum = 0;
      for (std::int64_t k = 0; k < 6; ++k) {
        sum += at(h, i * 6 + k) * at(v, k);
        CHECK(at(h, i * 6 + k) == doctest::Approx(at(h, k * 6 + i)).epsilon(1e-10));
      }
      CHECK(at(hv, i) == doctest::Approx(sum));
    }
  }

  TEST_CASE("a Jacobian under a mask has the result's mask, and 0 where x is not valid") {
    const Tensor x = numbers({3, 5, 2}, 11).with_mask(some_steps());
    const Tensor j = jacobian([](const Tensor& t) { return square(t); }, x);
    CHECK(j.shape() == Shape{3, 5, 2, 3, 5, 2});
    CHECK(j.mask() == x.mask());
    CHECK(j.item({0, 1, 0, 0, 1, 0}) == doctest::Approx(2 * x.item({0, 1, 0})));
    CHECK(j.item({0, 1, 0, 0, 4, 0}) == 0);
  }

  TEST_CASE("products nest: a third derivative by jvp of hvp") {
    const auto f = [](const Tensor& t) { return sum(t * t * t * t); };
    const Tensor x = numbers({3}, 12), v = numbers({3}, 13);
    const Tensor third = jvp([&](const Tensor& t) { return hvp(f, t, v); }, x, v);
    for (std::int64_t i = 0; i < 3; ++i) {
      CHECK(at(third, i) == doctest::Approx(24 * at(x, i) * at(v, i) * at(v, i)));
    }
  }

  TEST_CASE("a Hessian-vector product over parameters") {
    const Parameter w(numbers({3}, 14), "w"), b(numbers({}, 15), "b");
    const Tensor x = numbers({5, 3}, 16);
    const auto f = [&] { return mean(exp(sum(x * w, {-1}) * b.tensor())); };
    const auto v = std::vector<Tensor>{numbers({3}, 17), numbers({}, 18)};
    const auto hv = hvp(f, {w, b}, v);
    // Differences of gradients along v.
    const auto along = [&](double by) {
      const Parameter w2(w.value() + v[0] * by), b2(b.value() + v[1] * by);
      return gradients(mean(exp(sum(x * w2, {-1}) * b2.tensor())), {w2, b2});
    };
    const auto up = along(1e-5), down = along(-1e-5);
    for (std::int64_t i = 0; i < 3; ++i) {
      CHECK(at(hv[0], i) == doctest::Approx((at(up[0], i) - at(down[0], i)) / 2e-5).epsilon(1e-6));
    }
    CHECK(at(hv[1], 0) == doctest::Approx((at(up[1], 0) - at(down[1], 0)) / 2e-5).epsilon(1e-6));
    CHECK(!w.grad().defined());
  }

  TEST_CASE("what cannot be differentiated is refused with the way out") {
    const Tensor x = numbers({3}, 19).with_grad(), other = numbers({3}, 20).with_grad();
    CHECK(throws<ShapeError>([&] { gradients(square(x), {x}); }, "y is f64[3]; expected a scalar"));
    CHECK(throws<GradError>(
        [&] {
          gradients(sum(x), {x, other});
        },
        "y does not depend on x[1], f64[3]"));
    CHECK(!gradients(sum(x), {other}, {.allow_unused = true})[0].defined());
    CHECK(throws<GradError>([&] { gradients(sum(x), {other.value()}); },
                            "x[0] is f64[3] and not on the tape"));
    CHECK(throws<GradError>([&] { gradients(sum(x.value()), {x}); }, "is not on the tape"));
    CHECK(throws<ShapeError>([&] { gradients(square(x), {x}, {.seeds = {zeros({2})}}); },
                             "the seed 0 is f32[2] for y f64[3]"));
    CHECK(throws<ShapeError>([&] { hvp([](const Tensor& t) { return t; }, x, x); },
                             "f gives f64[3]; expected one scalar"));
    CHECK(throws<ShapeError>([&] { jvp([](const Tensor& t) { return t; }, x, zeros({2})); },
                             "v 0 is f32[2]; expected f64[3]"));
    const Tensor g = gradients(sum(square(x)), {x})[0];
    CHECK(throws<GradError>([&] { sum(g * x).backward(); }, "{.create_graph = true}"));
  }

  TEST_CASE("an operation of one's own without a told gradient is refused by name") {
    const Tensor x = numbers({3}, 21).with_grad();
    const Tensor y = record("thirds", x.value() * 3, {x},
                            [](const Tensor& dy, Grads& grads) { grads.add(0, dy * 3); });
    CHECK(at(gradients(sum(y), {x}, {.retain = true})[0], 0) == 3);
    CHECK(throws<GradError>([&] { gradients(sum(y), {x}, {.create_graph = true}); },
                            "'thirds' cannot be differentiated twice"));
  }

  TEST_CASE("gradcheck of order 2 finds a second derivative that is wrong") {
    const auto cube = [](const Tensor& x, double factor) {
      return record("cube", x.value() * x.value() * x.value(), {x},
                    [factor, x = Saved(x)](const Tensor& dy, auto& grads) {
                      if constexpr (is_adjoint<decltype(grads)>) {
                        grads.add(0, dy * square(grads.input(0, x)) * factor);
                      } else {
                        grads.add(0, dy * square(x.get()) * 3);
                      }
                    });
    };
    const Tensor x = numbers({3}, 22);
    CHECK(gradcheck([&](const Tensor& t) { return cube(t, 3); }, {x}, {.order = 2}));
    CHECK(gradcheck([&](const Tensor& t) { return cube(t, 2); }, {x}));
    CHECK(!gradcheck([&](const Tensor& t) { return cube(t, 2); }, {x}, {.order = 2}));
    CHECK(throws<OptionError>(
        [&] { gradcheck([](const Tensor& t) { return t; }, {x}, {.order = 3}); },
        "the order is 3; expected 1 or 2"));
  }
}

}  // namespace maskgrad::tests::test_derivatives
