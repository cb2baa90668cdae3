#include <doctest/doctest.h>

#include <cmath>
#include <maskgrad/maskgrad.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_activation_layers {
namespace {

using Values = std::vector<double>;

const Tensor& row() {
  static const Tensor x = tensor<double>({-2, -0.5, 0.5, 3}, {1, 4});
  return x;
}

template <class L>
Values of_row(L layer) {
  return layer(row()).template to_vector<double>();
}

TEST_CASE("activation layers give what their options say") {
  CHECK(of_row(ReLU{}) == Values{0, 0, 0.5, 3});
  CHECK(of_row(ReLU{{.max_value = 2, .negative_slope = 0.5, .threshold = 1}}) ==
        Values{-1.5, -0.75, -0.25, 2});
  CHECK(of_row(LeakyReLU{}) == Values{-0.3 * 2, -0.3 * 0.5, 0.5, 3});
  CHECK(of_row(LeakyReLU{{.negative_slope = 0.5}}) == Values{-1, -0.25, 0.5, 3});
  CHECK(of_row(ELU{{.alpha = 2}}) == Values{2 * std::expm1(-2), 2 * std::expm1(-0.5), 0.5, 3});
  CHECK(of_row(ELU{}) == of_row(Activation{{.activation = "elu"}}));
}

TEST_CASE("Activation takes each function's options, and refuses those of others") {
  const auto of = [](ActivationOptions o) { return of_row(Activation{std::move(o)}); };
  CHECK(of({.activation = "relu", .max_value = 2}) == Values{0, 0, 0.5, 2});
  CHECK(of({.activation = "relu", .negative_slope = 0.5, .max_value = 2, .threshold = 1}) ==
        Values{-1.5, -0.75, -0.25, 2});
  CHECK(of({.activation = "leaky_relu", .negative_slope = 0.5}) == Values{-1, -0.25, 0.5, 3});
  CHECK(of({.activation = "celu", .alpha = 2}) ==
        Values{2 * std::expm1(-1), 2 * std::expm1(-0.25), 0.5, 3});
  CHECK(of({.activation = "hard_shrink", .threshold = 1}) == Values{-2, 0, 0, 3});
  CHECK(of({.activation = "soft_shrink", .threshold = 1}) == Values{-1, 0, 0, 2});
  CHECK(of({.activation = "swish"}) == of({.activation = "silu"}));
  CHECK(of({.activation = "gelu", .approximate = false}) == of({.activation = "gelu"}));
  const auto refuses = [](ActivationOptions o, std::string_view text) {
    CHECK(throws<OptionError>([&] { Activation{o}; }, "Activation: the option", text));
  };
  refuses({.activation = "elu", .max_value = 2},
          ".max_value with the activation 'elu'; it is one of relu");
  refuses({.activation = "tanh", .threshold = 2},
          "it is one of relu and hard_shrink and soft_shrink");
  refuses({.activation = "relu", .alpha = 2},
          ".alpha with the activation 'relu'; it is one of elu");
}

TEST_CASE("PReLU has a slope for each feature, with Keras's layout") {
  PReLU layer;
  build(layer, Spec::f64({any, 5, 4}));
  REQUIRE(parameters(layer).size() == 1);
  CHECK(parameters(layer)[0].name() == "p_re_lu/alpha");
  CHECK(parameters(layer)[0].shape() == Shape{5, 4});

  PReLU shared{{.alpha_initializer = "ones", .shared_axes = {{1}}}};
  build(shared, Spec::f64({any, 5, 4}));
  const auto alpha = parameters(shared)[0];
  CHECK(alpha.shape() == Shape{1, 4});
  alpha.set(tensor<double>({2, 3, 4, 5}, {1, 4}));
  const Tensor y = shared(reshape(row(), {1, 1, 4}));
  CHECK(y.to_vector<double>() == Values{-4, -1.5, 0.5, 3});
  sum(y).backward();
  CHECK(alpha.grad().to_vector<double>() == Values{-2, -0.5, 0, 0});
}

TEST_CASE("PReLU: no number of steps binds its weights") {
  const auto alpha = [](const Spec& spec) {
    PReLU layer;
    build(layer, spec);
    return parameters(layer)[0].shape();
  };
  CHECK(alpha(Spec::f64({any, any, 4})) == Shape{1, 4});
  CHECK(alpha(Spec::f64({any, 5, 4}).masked(2)) == Shape{1, 4});
  CHECK(alpha(Spec::f64({any, 5, 4}).masked(3)) == Shape{1, 4});
  CHECK(alpha(Spec::f64({any, 5, 4}).masked(1)) == Shape{5, 4});
  CHECK(alpha(Spec::f64({any, any, 2, 4})) == Shape{1, 2, 4});
}

TEST_CASE("PReLU refuses a mask over steps with slopes of their own, and what does not fit") {
  PReLU layer;
  build(layer, Spec::f64({any, 2, 4}));
  const Tensor x = random_normal({3, 2, 4}, Seed{1}, DType::f64);
  CHECK(throws<MaskError>(
      [&] {
        layer(x.with_mask(Mask::from_lengths({2, 1, 0})));
      },
      "PReLU 'p_re_lu': input is f64[3, 2, 4], mask [3, 2] made by Mask::from_lengths",
      "axis 1, which the mask covers, has 2 slopes", ".shared_axes = {{1}}",
      "x.drop_mask(\"why\")"));
  CHECK(layer(x.with_mask(Mask::keep({true, false, true}, {3}))).mask().rank() == 1);
  CHECK(throws<ShapeError>(
      [&] {
        layer(zeros({3, 4}, DType::f64));
      },
      "input is f64[3, 4]", "one axis more than alpha [2, 4]"));
  CHECK(throws<ShapeError>([&] { layer(zeros({3, 5, 4}, DType::f64)); }, "of the same sizes"));
  const auto refuses = [](std::vector<std::int64_t> axes) {
    PReLU other{{.shared_axes = std::move(axes)}};
    CHECK(throws<OptionError>(
        [&] {
          build(other, Spec::f64({any, 2, 4}));
        },
        "the option .shared_axes holds", "expected axes from 1 to 2"));
  };
  refuses({0});
  refuses({3});
  PReLU unknown;
  CHECK(throws<ShapeError>(
      [&] {
        build(unknown, Spec::f64({any, 2, any}));
      },
      "known number of features"));
}

TEST_CASE("activation layers refuse options out of range") {
  CHECK(throws<OptionError>([] { ReLU{{.max_value = -1}}; },
                            "ReLU: the option .max_value is -1; expected 0 or more"));
  CHECK(throws<OptionError>([] { ReLU{{.negative_slope = -1}}; }, ".negative_slope is -1"));
  CHECK(throws<OptionError>([] { ReLU{{.threshold = NAN}}; }, ".threshold is nan"));
  CHECK(throws<OptionError>([] { ReLU{{.max_value = 1, .threshold = 2}}; },
                            "the option .max_value is 1 and .threshold 2; expected it or more"));
}

TEST_CASE("activation layers are made from what they describe") {
  for (const AnyLayer& layer : std::vector<AnyLayer>{
           ReLU{{.max_value = 6, .negative_slope = 0.1}}, ReLU{}, LeakyReLU{{.name = "mine"}},
           ELU{{.alpha = 2}}, PReLU{}, PReLU{{.shared_axes = {{1, 2}}}},
           Activation{{.activation = "relu", .max_value = 1, .threshold = 0.5}}}) {
    const auto text = detail::describe_any(layer);
    CHECK(detail::describe_any(detail::layer_from("test", text)) == text);
  }
  AnyLayer one = make_layer("PReLU", R"({"shared_axes": 1})");
  CHECK(one.as<PReLU>()->options().shared_axes == std::vector<std::int64_t>{1});
  CHECK(make_layer("ReLU", R"({"max_value": null})").as<ReLU>()->options().max_value ==
        std::nullopt);
}

}  // namespace
}  // namespace maskgrad::tests::test_activation_layers
