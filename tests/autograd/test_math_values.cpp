#include <limits>

#include <maskgrad/autograd/ops/elementwise/activations.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>

#include "counted.hpp"

namespace maskgrad::tests::test_math_values {
namespace {

using Unary = Tensor (*)(const Tensor&);

}  // namespace

TEST_SUITE("unary") {
  TEST_CASE("far out: no overflow") {
    constexpr double inf = std::numeric_limits<double>::infinity();
    const Tensor x = tensor<double>({-1000, 1000, -inf, inf}, {4});
    check(sigmoid(x), {4}, {0, 1, 0, 1});
    check(softplus(x), {4}, {0, 1000, 0, inf});
    check(log_sigmoid(x), {4}, {-1000, 0, -inf, 0});
    check(tanh(x), {4}, {-1, 1, -1, 1});
    check(relu(x), {4}, {0, 1000, 0, inf});
    check(elu(x), {4}, {-1, 1000, -1, inf});
    check(mish(tensor<double>({-1000, 1000}, {2})), {2}, {0, 1000});
    // Not 0, nor 0 times infinity.
    CHECK(squareplus(scalar(-1e10, DType::f64)).item() == doctest::Approx(1e-10).epsilon(1e-14));
    check(hard_silu(tensor<double>({-1000, 1000}, {2})), {2}, {0, 1000});
  }

  TEST_CASE("gradients at kinks are those of the side below, or 0") {
    const auto slope = [](Unary f, double at) {
      const Tensor x = tensor({at}, {1}).with_grad();
      return pulled(x, f(x))[0];
    };
    CHECK(slope(relu, 0) == 0);
    CHECK(slope(leaky_relu, 0) == 0.2);
    CHECK(slope(abs, 0) == 0);
    CHECK(slope(relu6, 6) == 0);
    CHECK(slope(hard_sigmoid, 3) == 0);
    CHECK(slope(hard_silu, -3) == 0);
    CHECK(slope(hard_tanh, 1) == 0);
    CHECK(slope(soft_shrink, 0.5) == 0);
    CHECK(slope(sparse_plus, 1) == 1);
    CHECK(slope(floor, 0.3) == 0);
    CHECK(slope([](const Tensor& x) { return clip(x, 0, 1); }, 1) == 1);
  }

  TEST_CASE("activations by name") {
    CHECK(activation_names().size() == 29);
    for (auto name : activation_names()) {
      const Tensor x = counted({2, 3});
      CHECK(activation(name)(x).shape() == x.shape());
    }
    check(activation("relu")(tensor<double>({-1, 2}, {2})), {2}, {0, 2});
    const bool swish = activation("swish") == activation("silu");
    CHECK(swish);
    const bool hard_swish = activation("hard_swish") == activation("hard_silu");
    CHECK(hard_swish);
  }
}

}  // namespace maskgrad::tests::test_math_values
