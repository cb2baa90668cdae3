#include <doctest/doctest.h>

#include <cmath>
#include <maskgrad/maskgrad.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_attention_layers {
namespace {

Tensor normal(const Shape& shape, std::uint64_t seed = 1) {
  return random_normal(shape, Seed{seed}, DType::f64);
}

TEST_CASE("MultiHeadAttention: options out of range are refused") {
  const auto refuses = [](MultiHeadAttentionOptions o, std::string_view text) {
    CHECK(throws<OptionError>([&] { MultiHeadAttention{o}; }, "MultiHeadAttention", text));
  };
  refuses({.num_heads = 0, .key_dim = 2}, ".num_heads is 0; expected 1 or more");
  refuses({.num_heads = 1, .key_dim = 0}, ".key_dim is 0; expected 1 or more");
  refuses({.num_heads = 1, .key_dim = 2, .value_dim = 0}, ".value_dim is 0");
  refuses({.num_heads = 1, .key_dim = 2, .output_shape = -1}, ".output_shape is -1");
  refuses({.num_heads = 1, .key_dim = 2, .dropout = 1}, ".dropout is 1; expected a probability");
}

TEST_CASE("MultiHeadAttention: inputs that do not fit are refused, also without data") {
  MultiHeadAttention layer{{.num_heads = 2, .key_dim = 2}};
  const auto spec = Spec::f64({any, any, 3});
  CHECK(throws<ShapeError>(
      [&] {
        build(layer, {spec, spec, spec, spec});
      },
      "got 4 inputs", "expected a query, and a value and a key"));
  CHECK(throws<ShapeError>(
      [&] {
        build(layer, Spec::f64({any, 3}));
      },
      "MultiHeadAttention 'multi_head_attention'", "[batch, time, features]"));
  CHECK(throws<ShapeError>(
      [&] {
        build(layer, {spec, Spec::f64({any, any, any})});
      },
      "a known number of features"));
  CHECK(throws<MaskError>(
      [&] {
        build(layer, {spec, spec.masked(3)});
      },
      "does not accept a mask over single values", "ways out: a mask over whole steps"));
  CHECK(throws<StateError>([&] { parameters(layer); }, "has no parameters yet"));
  build(layer, {spec, Spec::f64({any, any, 4})});
  CHECK(throws<ShapeError>(
      [&] {
        call(layer, Tensors{normal({2, 5, 3}), normal({2, 4, 3})});
      },
      "its last axis must be 4"));
  CHECK(throws<ShapeError>(
      [&] {
        call(layer, Tensors{normal({2, 5, 3}), normal({3, 4, 4})});
      },
      "attention", "expected the same batch"));
  CHECK(throws<ShapeError>(
      [&] {
        call(layer, Tensors{normal({2, 5, 3}), normal({2, 4, 4}), normal({2, 6, 4})});
      },
      "expected the same batch, key and heads"));
}

TEST_CASE("MultiHeadAttention: one input is query, value and key; of two the second is the key") {
  MultiHeadAttention layer{{.num_heads = 2, .key_dim = 3}};
  build(layer, Spec::f64({any, any, 4}));
  const Tensor x = normal({2, 5, 4}), y = normal({2, 3, 4}, 2);
  const auto values = [](const Tensor& t) { return t.to_vector<double>(); };
  CHECK(values(layer(x)) == values(call(layer, Tensors{x, x, x})[0]));
  CHECK(values(layer(x, y)) == values(call(layer, Tensors{x, y, y})[0]));
}

TEST_CASE("MultiHeadAttention: scores on request, of the valid pairs alone") {
  MultiHeadAttention layer{
      {.num_heads = 2, .key_dim = 3, .use_causal_mask = true, .return_attention_scores = true}};
  build(layer, Spec::f64({any, any, 4}));
  const Mask mask = Mask::keep({{false, true, false, true}, {true, true, true, false}});
  const Tensors out = call(layer, Tensors{normal({2, 4, 4}).with_mask(mask)});
  REQUIRE(out.size() == 2);
  CHECK(out[0].mask() == mask);
  CHECK(out[1].shape() == Shape{2, 4, 4, 2});
  CHECK(out[1].mask().shape() == Shape{2, 4, 4});
  CHECK(out[1].mask().valid() == 3 + 6);
  CHECK(out[1].mask().at({0, 3, 1}));
  CHECK_FALSE(out[1].mask().at({0, 1, 3}));
  const Tensor sums = sum(out[1], {2});
  CHECK(std::abs(sums.item({0, 3, 1}) - 1) < 1e-12);
  CHECK(std::abs(sums.item({1, 2, 0}) - 1) < 1e-12);
}

TEST_CASE("MultiHeadAttention: a query without keys gives the output's bias") {
  MultiHeadAttention layer{{.num_heads = 2, .key_dim = 3, .bias_initializer = "ones"}};
  build(layer, Spec::f64({any, any, 4}));
  const Tensor value = normal({2, 3, 4}).with_mask(Mask::from_lengths({0, 2}, 3));
  const Tensor y = layer(normal({2, 2, 4}), value);
  CHECK_FALSE(y.has_mask());
  CHECK(y.item({0, 1, 3}) == 1);
  CHECK(y.item({1, 1, 3}) != 1);
}

TEST_CASE("MultiHeadAttention: by name, with Keras's options") {
  auto layer = make_layer("MultiHeadAttention",
                          R"({"num_heads": 2, "key_dim": 3, "value_dim": null, "seed": 4})");
  CHECK(layer.as<MultiHeadAttention>()->options().seed->value == 4);
  CHECK(throws<OptionError>([] { make_layer("MultiHeadAttention", R"({"num_heads": 2})"); },
                            ".key_dim is missing"));
}

TEST_CASE("GroupedQueryAttention: options out of range are refused") {
  const auto refuses = [](GroupedQueryAttentionOptions o, std::string_view text) {
    CHECK(throws<OptionError>([&] { GroupedQueryAttention{o}; }, "GroupedQueryAttention", text));
  };
  refuses({.head_dim = 0, .num_query_heads = 2, .num_key_value_heads = 1}, ".head_dim is 0");
  refuses({.head_dim = 1, .num_query_heads = 0, .num_key_value_heads = 1}, ".num_query_heads is 0");
  refuses({.head_dim = 1, .num_query_heads = 2, .num_key_value_heads = 0},
          ".num_key_value_heads is 0; expected 1 or more");
  refuses({.head_dim = 1, .num_query_heads = 3, .num_key_value_heads = 2},
          ".num_query_heads is 3 with .num_key_value_heads 2; expected a multiple");
  refuses({.head_dim = 1, .num_query_heads = 2, .num_key_value_heads = 1, .dropout = -1},
          ".dropout is -1");
}

TEST_CASE("GroupedQueryAttention: as many key heads as query heads is MultiHeadAttention") {
  GroupedQueryAttention grouped{{.head_dim = 3, .num_query_heads = 2, .num_key_value_heads = 2}};
  MultiHeadAttention multi{{.num_heads = 2, .key_dim = 3}};
  build(grouped, Spec::f64({any, any, 4}), Seed{1});
  build(multi, Spec::f64({any, any, 4}), Seed{2});
  const auto from = parameters(multi), to = parameters(grouped);
  REQUIRE(from.size() == to.size());
  for (std::size_t i = 0; i < to.size(); ++i) to[i].set(from[i].value());
  const Tensor x = normal({2, 5, 4}).with_mask(Mask::from_lengths({2, 5}));
  CHECK(grouped(x).to_vector<double>() == multi(x).to_vector<double>());
}

TEST_CASE("Attention and AdditiveAttention: options and inputs that do not fit are refused") {
  CHECK(throws<OptionError>([] { Attention{{.score_mode = "concta"}}; },
                            "Attention: the option .score_mode is 'concta'",
                            "did you mean 'concat'?"));
  CHECK(throws<OptionError>([] { Attention{{.dropout = 2}}; }, ".dropout is 2"));
  CHECK(throws<OptionError>([] { AdditiveAttention{{.dropout = 2}}; }, ".dropout is 2"));
  const auto x = Spec::f64({any, any, 3}), y = Spec::f64({any, any, 4});
  Attention dot;
  CHECK(throws<ShapeError>([&] { build(dot, {x, y}); }, "attention", "the same dim"));
  CHECK(throws<ShapeError>([&] { build(dot, Spec::f64({3, 4})); }, "[batch, time, features]"));
  AdditiveAttention sum;
  CHECK(throws<ShapeError>([&] { build(sum, {x, y}); }, "additive_attention", "the same dim"));
  CHECK(throws<ShapeError>([&] { build(sum, {x, x, x, x}); }, "got 4 inputs"));
  CHECK(throws<ShapeError>(
      [&] {
        build(sum, Spec::f64({any, any, any}));
      },
      "a known number of features"));
  CHECK(throws<MaskError>([&] { build(sum, {x.masked(3)}); },
                          "AdditiveAttention 'additive_attention' does not accept a mask"));
  build(sum, x);
  CHECK(throws<ShapeError>([&] { sum(normal({2, 3, 4})); }, "its last axis must be 3"));
}

/// What one query of the first sequence makes of all keys of [2, 3, 2], by hand.
std::vector<double> by_hand(const Tensor& x, std::int64_t i,
                            double (*score)(const double*, const double*)) {
  double sum = 0, y[2] = {};
  const double q[2] = {x.item({0, i, 0}), x.item({0, i, 1})};
  for (std::int64_t j = 0; j < 3; ++j) {
    const double k[2] = {x.item({0, j, 0}), x.item({0, j, 1})};
    const double w = std::exp(score(q, k));
    sum += w;
    y[0] += w * k[0];
    y[1] += w * k[1];
  }
  return {y[0] / sum, y[1] / sum};
}

TEST_CASE("Attention: dot, scaled and concat scores are Keras's formulas") {
  const Tensor x = normal({2, 3, 2});
  const auto gives = [&](const AttentionLayerOptions& o, double factor, double weight, auto score) {
    Attention layer{o};
    build(layer, Spec::f64({any, any, 2}));
    for (const auto& p : parameters(layer)) {
      p.set(scalar(p.name().ends_with("/scale") ? factor : weight, DType::f64));
    }
    const Tensor y = layer(x);
    const auto want = by_hand(x, 1, score);
    CHECK(y.item({0, 1, 0}) == doctest::Approx(want[0]).epsilon(1e-12));
    CHECK(y.item({0, 1, 1}) == doctest::Approx(want[1]).epsilon(1e-12));
  };
  using D = const double*;
  gives({}, 0, 0, [](D q, D k) { return q[0] * k[0] + q[1] * k[1]; });
  gives({.use_scale = true}, 3, 0, [](D q, D k) { return 3 * (q[0] * k[0] + q[1] * k[1]); });
  gives({.score_mode = "concat"}, 0, 2,
        [](D q, D k) { return 2 * (std::tanh(q[0] + k[0]) + std::tanh(q[1] + k[1])); });
  gives({.use_scale = true, .score_mode = "concat"}, 3, 2,
        [](D q, D k) { return 2 * (std::tanh(3 * (q[0] + k[0])) + std::tanh(3 * (q[1] + k[1]))); });
}

TEST_CASE("Attention and AdditiveAttention: scores on request give the output") {
  const Tensor x = normal({2, 4, 3});
  const Tensor value = normal({2, 5, 3}, 2).with_mask(Mask::from_lengths({3, 5}));
  const auto holds = [&](auto layer) {
    build(layer, {Spec::f64({any, any, 3}), Spec::f64({any, any, 3}).masked(2)});
    const Tensors out = call(layer, Tensors{x, value});
    REQUIRE(out.size() == 2);
    CHECK(out[1].shape() == Shape{2, 4, 5});
    CHECK(out[1].mask().rank() == 3);
    double y = 0;
    for (std::int64_t j = 0; j < 3; ++j) y += out[1].item({0, 2, j}) * value.item({0, j, 1});
    CHECK(out[0].item({0, 2, 1}) == doctest::Approx(y).epsilon(1e-12));
  };
  holds(Attention{{.return_attention_scores = true}});
  holds(Attention{{.score_mode = "concat", .return_attention_scores = true}});
  holds(AdditiveAttention{{.return_attention_scores = true}});
}

TEST_CASE("AdditiveAttention: causal scores hide the keys behind the query") {
  AdditiveAttention layer{{.use_causal_mask = true, .return_attention_scores = true}};
  build(layer, Spec::f64({any, any, 3}));
  const Tensors out = call(layer, Tensors{normal({1, 3, 3})});
  CHECK(out[1].mask().valid() == 6);
  CHECK(out[1].item({0, 0, 0}) == 1);
  CHECK_FALSE(out[1].mask().at({0, 1, 2}));
}

}  // namespace
}  // namespace maskgrad::tests::test_attention_layers
