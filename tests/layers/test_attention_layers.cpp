#include <doctest/doctest.h>

#include <cmath>
#include <maskgrad/maskgrad.hpp>

#include "throws.hpp"

namespace maskgrad::tests {
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

}  // namespace
}  // namespace maskgrad::tests
