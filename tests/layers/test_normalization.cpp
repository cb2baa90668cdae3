#include <doctest/doctest.h>

#include <cmath>

#include <maskgrad/maskgrad.hpp>

#include "throws.hpp"

namespace maskgrad::tests {
namespace {

Tensor some(const Shape& shape) {
  return random_normal(shape, Seed{4}, DType::f64);
}

std::vector<double> state(const BatchNormalization& layer, std::size_t i) {
  return parameters(layer)[2 + i].value().to_vector<double>();
}

TEST_CASE("BatchNormalization moves its statistics by valid rows, an empty batch moves nothing") {
  BatchNormalization layer{{.momentum = 0.75}};
  build(layer, Spec::f64({any, any, 2}));
  const Tensor x =
      tensor({1., 2., 3., 4., 1e30, 1e30}, {1, 3, 2}).with_mask(Mask::keep({{true, true, false}}));
  layer(x);
  CHECK(state(layer, 0) == std::vector<double>{0.5, 0.75});
  CHECK(state(layer, 1) == std::vector<double>{1, 1});  // 0.75 + 0.25 * 1
  layer(x.with_mask(Mask::keep({{false, false, false}})));
  layer(zeros({0, 3, 2}, DType::f64));
  {
    const Evaluate evaluate;
    layer(x);
  }
  CHECK(state(layer, 0) == std::vector<double>{0.5, 0.75});
  CHECK(state(layer, 1) == std::vector<double>{1, 1});
}

TEST_CASE("BatchNormalization evaluates by its moving statistics") {
  BatchNormalization layer{{.epsilon = 1}};
  build(layer, Spec::f64({any, 1}));
  parameters(layer)[2].set(full({1}, 3, DType::f64));
  parameters(layer)[3].set(full({1}, 3, DType::f64));
  const Tensor x = tensor({1., 5.}, {2, 1});
  const std::vector<double> expected{-1, 1};
  CHECK(predict(layer, x).to_vector<double>() == expected);
}

TEST_CASE("a row of zeros has unit length nowhere, and a finite gradient") {
  UnitNormalization layer;
  const Tensor x = tensor({3., 4., 0., 0.}, {2, 2}).with_grad();
  const Tensor y = layer(x);
  CHECK(y.item({0, 0}) == doctest::Approx(0.6));
  CHECK(y.item({0, 1}) == doctest::Approx(0.8));
  CHECK(y.item({1, 0}) == 0);
  sum(y).backward();
  for (const double g : x.grad().to_vector<double>()) CHECK(std::isfinite(g));
}

TEST_CASE("normalisations refuse what does not fit") {
  CHECK(throws<OptionError>([] { LayerNormalization{{.epsilon = 0}}; }, "LayerNormalization",
                            ".epsilon is 0"));
  CHECK(throws<OptionError>([] { GroupNormalization{{.groups = 0}}; }, ".groups is 0"));
  CHECK(throws<OptionError>([] { BatchNormalization{{.momentum = 1.5}}; }, ".momentum is 1.5"));
  LayerNormalization by_time{{.axis = 1}};
  CHECK(throws<OptionError>(
      [&] {
        build(by_time, Spec::f64({any, any, 2}));
      },
      "LayerNormalization 'layer_normalization'", "axis is 1"));
  GroupNormalization odd{{.groups = 3}};
  CHECK(throws<OptionError>(
      [&] {
        build(odd, Spec::f64({any, any, 4}));
      },
      "GroupNormalization 'group_normalization'", "3 groups"));
  BatchNormalization layer;
  build(layer, Spec::f64({any, any, 2}));
  CHECK(throws<ShapeError>([&] { layer(some({2, 3, 5})); }, "its last axis must be 2"));
  CHECK(throws<MaskError>(
      [&] {
        layer(some({1, 1, 2}).with_mask(Mask::keep({true, false}, {1, 1, 2})));
      },
      "does not accept a mask over single values"));
  const Tensor x = some({2, 3});
  CHECK(throws<OptionError>([&] { layer_normalise(x, -1); }, "layer_normalise", "epsilon is -1"));
  CHECK(throws<ShapeError>([&] { layer_normalise(some({3}), 1); },
                           "expected [batch, ..., features]"));
  CHECK(throws<ShapeError>([&] { layer_normalise(x, 1, {some({2}), {}}); }, "gamma or beta is"));
  CHECK(throws<OptionError>([&] { group_normalise(x, 2, 1); }, "2 groups for f64[2, 3]"));
  CHECK(throws<MaskError>(
      [&] {
        batch_normalise(x.with_mask(Mask::keep(std::vector<bool>(6, true), {2, 3})), 1);
      },
      "whose mask covers the features"));
}

}  // namespace
}  // namespace maskgrad::tests
