#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <maskgrad/maskgrad.hpp>
#include <set>

#include "throws.hpp"

namespace maskgrad::tests::test_noise_layers {
namespace {

using Values = std::vector<double>;

Tensor normal(const Shape& shape) {
  return random_normal(shape, Seed{6}, DType::f64);
}

template <class L>
L built(L layer, const Shape& inner) {
  build(layer, Spec::f64(Shape{any, any} + inner), Seed{2});
  return layer;
}

/// Mean and variance.
std::pair<double, double> moments(const Tensor& x) {
  return {mean(x).item(), variance(x).item()};
}

template <class L>
void evaluates_to_its_input(L layer) {
  const Tensor x = normal({2, 3, 4});
  const Evaluate evaluate;
  CHECK(layer(x).template to_vector<double>() == x.to_vector<double>());
}

TEST_CASE("noise has the size that its options say, and none in evaluation") {
  const Shape many{60, 50, 4};
  const auto noise = moments(built(GaussianNoise{{.stddev = 0.5}}, {4})(zeros(many, DType::f64)));
  CHECK(std::abs(noise.first) < 0.02);
  CHECK(noise.second == doctest::Approx(0.25).epsilon(0.03));
  const auto factor = moments(built(GaussianDropout{{.rate = 0.2}}, {4})(ones(many, DType::f64)));
  CHECK(factor.first == doctest::Approx(1).epsilon(0.02));
  CHECK(factor.second == doctest::Approx(0.25).epsilon(0.03));
  const auto alpha = moments(built(AlphaDropout{{.rate = 0.3}}, {4})(normal(many)));
  CHECK(std::abs(alpha.first) < 0.03);
  CHECK(alpha.second == doctest::Approx(1).epsilon(0.03));
  const auto dropped =
      moments(built(SpatialDropout1D{{.rate = 0.25}}, {40})(ones({200, 2, 40}, DType::f64)));
  CHECK(dropped.first == doctest::Approx(1).epsilon(0.03));
  CHECK(dropped.second == doctest::Approx(1.0 / 3).epsilon(0.05));

  evaluates_to_its_input(built(GaussianNoise{{.stddev = 0.5}}, {4}));
  evaluates_to_its_input(built(GaussianDropout{{.rate = 0.5}}, {4}));
  evaluates_to_its_input(built(AlphaDropout{{.rate = 0.5}}, {4}));
  evaluates_to_its_input(built(SpatialDropout1D{{.rate = 0.5}}, {4}));
}

TEST_CASE("AlphaDropout puts one value in the place of what it drops") {
  const Tensor y = built(AlphaDropout{{.rate = 0.4}}, {6})(normal({2, 5, 6}));
  // a (-scale alpha) + b of selu's constants, by hand for the rate 0.4.
  const double p = -1.0507009873554805 * 1.6732632423543772;
  const double a = 1 / std::sqrt(0.6 * (1 + 0.4 * p * p)), lowest = a * p - a * p * 0.4;
  int seen = 0;
  for (const double v : y.to_vector<double>()) seen += std::abs(v - lowest) < 1e-12;
  CHECK(seen > 10);
  CHECK(seen < 40);
}

/// Whether each feature of each sequence is 0 in all steps or in none.
bool drops_whole_sequences(const Tensor& y) {
  for (std::int64_t s = 0; s < y.shape()[0]; ++s) {
    for (std::int64_t f = 0; f < y.shape()[2]; ++f) {
      for (std::int64_t t = 1; t < y.shape()[1]; ++t) {
        if ((y.item({s, t, f}) == 0) != (y.item({s, 0, f}) == 0)) return false;
      }
    }
  }
  return true;
}

TEST_CASE("SpatialDropout1D drops features over whole sequences") {
  SpatialDropout1D layer = built(SpatialDropout1D{{.rate = 0.5, .seed = Seed{3}}}, {7});
  const Tensor x = ones({5, 4, 7}, DType::f64), y = layer(x);
  CHECK(drops_whole_sequences(y));
  const auto first = y.to_vector<double>();
  CHECK(first != Values(first.size(), 0));
  CHECK_FALSE(drops_whole_sequences(built(Dropout{{.rate = 0.5}}, {7})(x)));

  Dropout same =
      built(Dropout{{.rate = 0.5, .noise_shape = {{any, 1, any}}, .seed = Seed{3}}}, {7});
  CHECK(same(x).to_vector<double>() == first);
  AlphaDropout alpha = built(AlphaDropout{{.rate = 0.5, .noise_shape = {{5, 1, 7}}}}, {7});
  const Tensor z = alpha(x);
  CHECK(z.item({0, 0, 0}) == z.item({0, 3, 0}));

  // Under a mask over single values a feature is what it was.
  std::vector<bool> valid(5 * 4 * 7, true);
  for (std::size_t i = 0; i < valid.size(); i += 3) valid[i] = false;
  const NoiseStep begin({});
  const Tensor holes = layer(x.with_mask(Mask::keep(valid, {5, 4, 7})));
  const auto seen = holes.to_vector<double>(-1);
  for (std::size_t i = 0; i < seen.size(); ++i) CHECK(seen[i] == (valid[i] ? first[i] : -1));
}

const Mask& lengths(std::int64_t before = 0) {
  static std::map<std::int64_t, Mask> made;
  Mask& mask = made[before];
  if (mask) return mask;
  std::vector<bool> valid;
  for (const std::int64_t n : {5, 2, 0, 3}) {
    for (std::int64_t t = -before; t < 5; ++t) valid.push_back(t >= 0 && t < n);
  }
  mask = Mask::keep(valid, {4, before + 5});
  return mask;
}

/// The noise of a layer in training does not see padding, splits or threads.
template <class L>
void is_keyed_by_the_data(const L& layer_of, const Shape& inner) {
  L layer = built(layer_of, inner);
  const auto valid = [](const Tensor& y) { return y.to_vector<double>(-7); };
  const Tensor x = normal(Shape{4, 5} + inner);
  const auto at = [&](std::uint64_t step, std::int64_t sequence, const Tensor& input) {
    const NoiseStep here({step, sequence});
    return layer(input);
  };
  const Tensor whole = at(3, 0, x.with_mask(lengths()));
  CHECK(valid(at(3, 0, x.with_mask(lengths()))) == valid(whole));
  CHECK(valid(at(4, 0, x.with_mask(lengths()))) != valid(whole));
  const Tensor part = at(3, 1, slice(x.with_mask(lengths()), 0, 1, 4));
  CHECK(valid(part) == valid(slice(whole, 0, 1, 4)));
  const Tensor longer = concatenate({zeros(Shape{4, 3} + inner, DType::f64), x}, 1);
  CHECK(valid(slice(at(3, 0, longer.with_mask(lengths(3))), 1, 3, 8)) == valid(whole));
  const int threads = num_threads();
  set_num_threads(3);
  CHECK(valid(at(3, 0, x.with_mask(lengths()))) == valid(whole));
  set_num_threads(threads);
}

TEST_CASE("noise is keyed by the sequence and the rank among its valid steps") {
  is_keyed_by_the_data(Dropout{{.rate = 0.4}}, {5});
  is_keyed_by_the_data(SpatialDropout1D{{.rate = 0.4}}, {5});
  is_keyed_by_the_data(AlphaDropout{{.rate = 0.4}}, {5});
  is_keyed_by_the_data(GaussianDropout{{.rate = 0.4}}, {5});
  is_keyed_by_the_data(GaussianNoise{{.stddev = 0.4}}, {5});
}

TEST_CASE("noise in a TimeDistributed layer is keyed by the steps that it is of") {
  is_keyed_by_the_data(TimeDistributed{Dropout{{.rate = 0.4}}}, {5});
  is_keyed_by_the_data(TimeDistributed{GRU{{.units = 2, .dropout = 0.4}}}, {3, 2});
  is_keyed_by_the_data(
      TimeDistributed{MultiHeadAttention{{.num_heads = 1, .key_dim = 2, .dropout = 0.4}}}, {3, 2});
  is_keyed_by_the_data(TimeDistributed{AdditiveAttention{{.dropout = 0.4}}}, {3, 2});
  is_keyed_by_the_data(TimeDistributed{AnyLayer(TimeDistributed{Dropout{{.rate = 0.4}}})}, {3, 5});
  // No two steps get the same noise.
  TimeDistributed layer = built(TimeDistributed{GaussianNoise{{.stddev = 1}}}, {4});
  std::set<double> seen;
  for (const double v : layer(zeros({3, 6, 4}, DType::f64)).to_vector<double>()) seen.insert(v);
  CHECK(seen.size() == 3 * 6 * 4);
}

TEST_CASE("noise layers refuse options and inputs that do not fit") {
  CHECK(throws<OptionError>([] { GaussianNoise{{.stddev = -1}}; },
                            "GaussianNoise: the option .stddev is -1; expected 0 or more"));
  CHECK(throws<OptionError>([] { GaussianDropout{{.rate = 1}}; }, "GaussianDropout", ".rate is 1"));
  CHECK(throws<OptionError>([] { AlphaDropout{{.rate = -1}}; }, "AlphaDropout", ".rate is -1"));
  CHECK(
      throws<OptionError>([] { SpatialDropout1D{{.rate = 2}}; }, "SpatialDropout1D", ".rate is 2"));
  const Tensor x = zeros({2, 3});
  CHECK(throws<OptionError>([&] { gaussian_noise(x, -1, {}); }, "gaussian_noise: stddev is -1"));
  CHECK(
      throws<OptionError>([&] { gaussian_dropout(x, 1, {}); }, "gaussian_dropout: the rate is 1"));
  CHECK(throws<OptionError>([&] { alpha_dropout(x, 1, {}); }, "alpha_dropout: the rate is 1"));
  CHECK(throws<TypeError>([] { gaussian_noise(arange(3), 1, {}); }, "gaussian_noise: got i64[3]"));
  SpatialDropout1D spatial{{.rate = 0.5}};
  CHECK(throws<ShapeError>(
      [&] {
        build(spatial, Spec::f32({any, 3}));
      },
      "SpatialDropout1D 'spatial_dropout1d'", "[batch, time, features]"));
  const auto refuses = [](std::vector<std::int64_t> shape, std::string_view text) {
    Dropout layer{{.rate = 0.5, .noise_shape = std::move(shape)}};
    CHECK(throws<OptionError>(
        [&] {
          build(layer, Spec::f32({any, 4, 3}));
        },
        "Dropout 'dropout'", text));
  };
  refuses({any, 1},
          "the option .noise_shape is [-1, 1] for f32[any, 4, 3]; expected -1 or the size");
  refuses({any, any, 1}, "or 1 for axis 1, that of the steps");
  refuses({any, 2, 3}, "is [-1, 2, 3]");
}

TEST_CASE("noise layers are made from what they describe") {
  for (const AnyLayer& layer : std::vector<AnyLayer>{
           Dropout{{.rate = 0.5, .noise_shape = {{any, 1, 3}}}}, SpatialDropout1D{{.rate = 0.5}},
           AlphaDropout{{.rate = 0.5, .seed = Seed{4}}}, GaussianDropout{{.rate = 0.5}},
           GaussianNoise{{.stddev = 2, .name = "mine"}}}) {
    const auto text = detail::describe_any(layer);
    CHECK(detail::describe_any(detail::layer_from("test", text)) == text);
  }
  AnyLayer dropout = make_layer("Dropout", R"({"rate": 0.5, "noise_shape": [null, 1, null]})");
  CHECK(dropout.as<Dropout>()->options().noise_shape == std::vector<std::int64_t>{any, 1, any});
}

}  // namespace
}  // namespace maskgrad::tests::test_noise_layers
