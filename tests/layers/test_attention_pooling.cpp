#include <doctest/doctest.h>

#include <cmath>
#include <maskgrad/maskgrad.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_attention_pooling {
namespace {

Tensor normal(const Shape& shape) {
  return random_normal(shape, Seed{1}, DType::f64);
}

TEST_CASE("AttentionPooling1D: its formula, in each head") {
  AttentionPooling1D layer{{.num_heads = 2}};
  build(layer, Spec::f64({any, any, 4}));
  const Tensor x = normal({2, 3, 4}), w = parameters(layer)[0].value();
  CHECK(w.shape() == Shape{2, 2});
  const Tensor y = layer(x.with_mask(Mask::keep({{true, false, true}, {true, true, true}})));
  CHECK(y.shape() == Shape{2, 4});
  CHECK_FALSE(y.has_mask());
  for (std::int64_t i = 0; i < 4; ++i) {
    double sum = 0, value = 0;
    for (const std::int64_t t : {0, 2}) {
      const auto h = i / 2;
      const double dot =
          w.item({h, 0}) * x.item({0, t, 2 * h}) + w.item({h, 1}) * x.item({0, t, 2 * h + 1});
      sum += std::exp(dot / std::sqrt(2.));
      value += std::exp(dot / std::sqrt(2.)) * x.item({0, t, i});
    }
    CHECK(y.item({0, i}) == doctest::Approx(value / sum).epsilon(1e-12));
  }
}

TEST_CASE("AttentionPooling1D: an empty sequence is masked, with and without keepdims") {
  for (const bool keep : {false, true}) {
    AttentionPooling1D layer{{.keepdims = keep}};
    build(layer, Spec::f64({any, any, 3}));
    const Tensor y = layer(normal({2, 4, 3}).with_mask(Mask::from_lengths({0, 2}, 4)));
    CHECK(y.shape() == (keep ? Shape{2, 1, 3} : Shape{2, 3}));
    CHECK(y.mask().to_vector() == std::vector<bool>{false, true});
    CHECK(y.mask().rank() == (keep ? 2 : 1));
    CHECK(layer(normal({2, 0, 3})).mask().valid() == 0);
  }
}

TEST_CASE("AttentionPooling1D: options and inputs that do not fit are refused") {
  CHECK(throws<OptionError>([] { AttentionPooling1D{{.num_heads = 0}}; },
                            "AttentionPooling1D: the option .num_heads is 0"));
  CHECK(throws<OptionError>([] { AttentionPooling1D{{.dropout = 1}}; }, ".dropout is 1"));
  AttentionPooling1D layer{{.num_heads = 2}};
  CHECK(throws<ShapeError>(
      [&] {
        build(layer, Spec::f64({any, any, 3}));
      },
      "f64[any, any, 3] with .num_heads 2; expected a multiple"));
  CHECK(throws<ShapeError>([&] { build(layer, Spec::f64({any, 4})); }, "[batch, time, features]"));
  CHECK(throws<MaskError>(
      [&] {
        build(layer, Spec::f64({any, any, 4}).masked(3));
      },
      "AttentionPooling1D 'attention_pooling1d' does not accept a mask over "
      "single values"));
  build(layer, Spec::f64({any, any, 4}));
  CHECK(throws<ShapeError>([&] { layer(normal({2, 3, 6})); }, "its last axis must be 4"));
}

}  // namespace
}  // namespace maskgrad::tests::test_attention_pooling
