#include <doctest/doctest.h>

#include <maskgrad/autograd/ops.hpp>
#include <maskgrad/autograd/parameter.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_read_gradients {
namespace {

/// x with the gradient of the sum of its squares.
Tensor squared(double value = 3) {
  const Tensor x = full({2}, value, DType::f64).with_grad();
  sum(x * x).backward();
  return x;
}

constexpr const char* why = "{.create_graph = true}";
constexpr const char* way_out = "give stop_gradient(x.grad())";

TEST_SUITE("gradients that were read") {
  TEST_CASE("a loss that is made of a gradient is refused") {
    const Tensor x = squared();
    const Tensor loss = sum(x * x);
    CHECK(throws<GradError>([&] { (loss + 10.0 * sum(x.grad() * x.grad())).backward(); },
                            "backward: 'add' takes what is made of a gradient", why, way_out));
    CHECK(throws<GradError>([&] { sum(x * x.grad()).backward(); }, "'multiply' takes", why));
    CHECK(
        throws<GradError>([&] { sum(x.grad()).backward(); }, "backward: the loss is made of", why));
    const Parameter p(ones({2}, DType::f64), "w");
    sum(p * x).backward();
    const Tensor parts = concatenate({p.tensor(), exp(reverse(p.grad(), 0))}, 0);
    CHECK(throws<GradError>([&] { sum(parts).backward(); }, "'concatenate' takes", why));
    CHECK(x.grad().to_vector<double>() == std::vector<double>{7, 7});  // 6, and 1 of sum(p * x)
  }

  TEST_CASE("as a value it is used as before") {
    const Tensor x = squared();
    CHECK(sum(x.grad()).item() == 12);
    CHECK(sum(x * x.grad()).item() == 36);  // of x as well, but nobody goes back
    CHECK(x.grad().str() == x.grad().value().str());
    const Parameter p(ones({2}, DType::f64), "w");
    for (int step = 0; step < 2; ++step) {
      p.clear_grad();
      sum(p * p).backward();
      p.set_grad(p.grad() * 0.5);
      p.set(p - p.grad());
    }
    CHECK(p.value().to_vector<double>() == std::vector<double>{0, 0});
  }

  TEST_CASE("as a constant that is meant it goes into a loss") {
    const Tensor x = squared();
    const auto gradient_with = [&](const Tensor& factor) {
      x.clear_grad();
      sum(x * factor).backward();
      return x.grad().to_vector<double>();
    };
    const std::vector<double> six{6, 6};
    const Tensor g = x.grad();
    CHECK(gradient_with(stop_gradient(g)) == six);
    CHECK(gradient_with(g.value()) == six);
    const auto half = [&] {
      const NoGrad no_grad;
      return g * 0.5;
    }();
    CHECK(gradient_with(half) == std::vector<double>{3, 3});
    const Tensor leaf = g.with_grad();
    sum(leaf * leaf).backward();
    CHECK(leaf.grad().to_vector<double>() == std::vector<double>{12, 12});
  }

  TEST_CASE("what is made of gradients alone is not recorded") {
    const Tensor x = squared();
    Tensor mean = x.grad();
    for (int i = 0; i < 1000; ++i) mean = 0.9 * mean + 0.1 * x.grad();
    CHECK(mean.node().get() == x.grad().node().get());
  }
}

}  // namespace
}  // namespace maskgrad::tests::test_read_gradients
