#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <maskgrad/maskgrad.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_normalization {
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

TEST_CASE("a gradient of 0 reads nothing of a row that is NaN, nor of a gamma that is not finite") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN(),
                   inf = std::numeric_limits<double>::infinity();
  const auto gradients = [](auto layer, double odd, double odd_gamma, const Tensor& asked) {
    build(layer, Spec::f64({any, any, 4}));
    auto values = some({1, 3, 4}).to_vector<double>();
    values[5] = odd;  // in the second row
    const auto p = parameters(layer);
    p[0].set(tensor({1., odd_gamma, 3., 4.}, {4}));
    const Tensor x = tensor(values, {1, 3, 4}).with_grad();
    const Tensor y = layer(x);
    sum(where(not_equal(asked, 0), y * asked, zeros({}, DType::f64))).backward();
    return std::pair{p[0].grad().template to_vector<double>(), x.grad().to_vector<double>()};
  };
  // Of the odd row, only the third feature is asked for.
  const Tensor asked = tensor({1., 2., 3., 4., 0., 0., 7., 0., 1., 2., 3., 4.}, {1, 3, 4});
  const auto without = tensor({1., 2., 3., 4., 0., 0., 0., 0., 1., 2., 3., 4.}, {1, 3, 4});
  const auto check = [&](const auto& layer) {
    CAPTURE(layer.kind);
    for (const double odd : {nan, inf, -inf}) {
      const auto right = gradients(layer, 0.5, 2, without).first;
      const auto got = gradients(layer, odd, 2, asked).first;
      for (const std::size_t feature : {0, 1, 3}) CHECK(got[feature] == right[feature]);
      if (std::isnan(odd)) CHECK(std::isnan(got[2]));
      // A gamma that is not finite, of a feature that no gradient comes to.
      const Tensor others = tensor({1., 0., 3., 4.}, {4}) + zeros({1, 3, 4}, DType::f64);
      const auto plain = gradients(layer, 0.5, 2, others);
      CHECK(gradients(layer, 0.5, odd, others) == plain);
    }
  };
  check(LayerNormalization{});
  check(RMSNormalization{});
  const Tensor column = tensor({1., 0., 3., 4.}, {4}) + zeros({1, 3, 4}, DType::f64);
  for (const double odd : {nan, inf, -inf}) {
    CHECK(gradients(BatchNormalization{}, 0.5, odd, column) ==
          gradients(BatchNormalization{}, 0.5, 2, column));
  }
  // A group is normalized by itself, over all steps.
  const GroupNormalization groups{{.groups = 2}};
  const Tensor first = tensor({0., 0., 3., 4.}, {4}) + zeros({1, 3, 4}, DType::f64);
  CHECK(gradients(groups, nan, 2, first) == gradients(groups, 0.5, 2, first));
  const Tensor some_of = tensor({5., 0., 3., 4.}, {4}) + zeros({1, 3, 4}, DType::f64);
  const auto got = gradients(groups, nan, 2, some_of).first;
  CHECK(std::isnan(got[0]));
  CHECK(got[1] == 0);
  CHECK(got[2] == gradients(groups, 0.5, 2, some_of).first[2]);
}

TEST_CASE("normalizations refuse what does not fit") {
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
  CHECK(throws<OptionError>([&] { layer_normalize(x, -1); }, "layer_normalize", "epsilon is -1"));
  CHECK(throws<ShapeError>([&] { layer_normalize(some({3}), 1); },
                           "expected [batch, ..., features]"));
  CHECK(throws<ShapeError>([&] { layer_normalize(x, 1, {some({2}), {}}); }, "gamma or beta is"));
  CHECK(throws<OptionError>([&] { group_normalize(x, 2, 1); }, "2 groups for f64[2, 3]"));
  CHECK(throws<MaskError>(
      [&] {
        batch_normalize(x.with_mask(Mask::keep(std::vector<bool>(6, true), {2, 3})), 1);
      },
      "whose mask covers the features"));
}

}  // namespace
}  // namespace maskgrad::tests::test_normalization
