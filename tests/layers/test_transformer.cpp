#include <doctest/doctest.h>

#include <cmath>
#include <maskgrad/maskgrad.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_transformer {
namespace {

using Values = std::vector<double>;

/// Values that another program can make too: sin(1 + i + 10 k) / 2.
Tensor waves(const Shape& shape, int k) {
  Values values;
  for (std::int64_t i = 0; i < shape.count(); ++i) {
    values.push_back(0.5 * std::sin(1.0 + static_cast<double>(i) + 10.0 * k));
  }
  return tensor(values, shape);
}

/// Builds a block with such weights, the k-th parameter with k.
template <class L>
L with_waves(L layer, const std::vector<Spec>& specs) {
  build(layer, specs);
  int k = 0;
  for (const auto& p : parameters(layer)) p.set(waves(p.shape(), k++));
  return layer;
}

/// The valid steps of sequence 0, the first two of three.
void gives(const Tensor& y, const Values& expected) {
  REQUIRE(y.shape() == Shape{1, 3, 4});
  CHECK(y.mask().lengths() == std::vector<std::int64_t>{2});
  const auto values = y.to_vector<double>(0);
  for (std::size_t i = 0; i < 8; ++i) {
    CAPTURE(i);
    CHECK(values[i] == doctest::Approx(expected[i]).epsilon(1e-12));
  }
}

const Spec spec = Spec::f64({any, any, 4});

Tensor sequence() {
  return waves({1, 3, 4}, 90).with_mask(Mask::keep({{true, true, false}}));
}
Tensor encoded() {
  return waves({1, 2, 3}, 95).with_mask(Mask::keep({{false, true}}));
}

// Recorded from NumPy 1.24, by the formulas of KerasHub's blocks over the valid steps.
TEST_CASE("TransformerEncoder gives what its formulas give") {
  TransformerEncoder after =
      with_waves(TransformerEncoder{{.intermediate_dim = 3, .num_heads = 2}}, {spec});
  gives(after(sequence()),
        {-0.1675101996623044, 0.367114513734862, 0.4796961884995805, -0.34856422296556056,
         -0.2120799170294776, 0.3208978738408921, 0.041815589199503955, -0.15485138296410336});
  TransformerEncoder first = with_waves(
      TransformerEncoder{{.intermediate_dim = 3, .num_heads = 2, .normalize_first = true}}, {spec});
  gives(first(sequence()),
        {0.5137527500063681, 0.01674705013638496, -0.4956558103960118, -0.5523550046841983,
         0.33629588426831075, 0.7253947336262155, 0.447569010217388, -0.24174959711506444});
}

TEST_CASE("TransformerDecoder gives what its formulas give, alone and with an encoder") {
  TransformerDecoder cross = with_waves(TransformerDecoder{{.intermediate_dim = 3, .num_heads = 2}},
                                        {spec, Spec::f64({any, any, 3})});
  gives(cross(sequence(), encoded()),
        {-0.6529380760570509, 0.3081954997388257, 0.6456307469646715, -0.4305663650253625,
         -0.7170317512170445, 0.29985883818472403, -0.1143550602117876, 0.31121728551758426});
  TransformerDecoder alone = with_waves(
      TransformerDecoder{{.intermediate_dim = 3, .num_heads = 2, .normalize_first = true}}, {spec});
  gives(alone(sequence()),
        {0.5341245485599657, -0.00038632979204518414, -0.534542018314901, -0.5772422403658557,
         0.33629588426831075, 0.7253947336262155, 0.447569010217388, -0.24174959711506444});
}

TEST_CASE("transformer blocks have KerasHub's names") {
  TransformerEncoder encoder{{.intermediate_dim = 3, .num_heads = 2, .name = "block"}};
  build(encoder, spec);
  const auto names = [](const auto& layer) {
    std::vector<std::string> all;
    for (const auto& p : parameters(layer)) all.push_back(p.name());
    return all;
  };
  const auto of = names(encoder);
  REQUIRE(of.size() == 8 + 2 + 4 + 2);
  CHECK(of[0] == "block/self_attention_layer/query/kernel");
  CHECK(of[8] == "block/self_attention_layer_norm/gamma");
  CHECK(of[10] == "block/feedforward_intermediate_dense/kernel");
  CHECK(of[12] == "block/feedforward_output_dense/kernel");
  CHECK(of[15] == "block/feedforward_layer_norm/beta");
  TransformerDecoder decoder{{.intermediate_dim = 3, .num_heads = 2}};
  CHECK(throws<StateError>([&] { parameters(decoder); },
                           "MultiHeadAttention 'self_attention' has no parameters yet"));
  build(decoder, {spec, spec});
  CHECK(names(decoder)[10] == "cross_attention/query/kernel");
  CHECK(parameters(decoder)[0].shape() == Shape{4, 2, 2});
  TransformerDecoder alone{{.intermediate_dim = 3, .num_heads = 2}};
  build(alone, spec);
  CHECK(parameters(alone).size() == of.size());
}

TEST_CASE("a causal decoder sees no later step, an encoder does") {
  const Tensor x = waves({1, 4, 4}, 1);
  const Tensor other = concatenate({slice(x, 1, 0, 3), waves({1, 1, 4}, 50)}, 1);
  const auto same_beginning = [&](auto layer) {
    build(layer, spec);
    return slice(predict(layer, x), 1, 0, 3).template to_vector<double>() ==
           slice(predict(layer, other), 1, 0, 3).template to_vector<double>();
  };
  CHECK(same_beginning(TransformerDecoder{{.intermediate_dim = 3, .num_heads = 2}}));
  CHECK_FALSE(same_beginning(
      TransformerDecoder{{.intermediate_dim = 3, .num_heads = 2, .use_causal_mask = false}}));
  CHECK_FALSE(same_beginning(TransformerEncoder{{.intermediate_dim = 3, .num_heads = 2}}));
}

TEST_CASE("an empty sequence of the encoder leaves a context of zeros, and no NaN") {
  TransformerDecoder layer{{.intermediate_dim = 3, .num_heads = 2}};
  build(layer, {spec, spec});
  const Tensor memory = waves({1, 2, 4}, 3).with_mask(Mask::keep({{false, false}}));
  const Tensor y = layer(waves({1, 3, 4}, 2), memory);
  CHECK_FALSE(y.has_mask());
  for (const double v : y.to_vector<double>()) CHECK(std::isfinite(v));
}

TEST_CASE("TransformerEncoder gives its scores on request") {
  TransformerEncoder layer{
      {.intermediate_dim = 3, .num_heads = 2, .return_attention_scores = true}};
  build(layer, spec);
  const Tensors out = call(layer, Tensors{sequence()});
  REQUIRE(out.size() == 2);
  CHECK(out[1].shape() == Shape{1, 3, 3, 2});
  CHECK(out[1].mask().valid() == 4);
}

TEST_CASE("transformer blocks refuse options and inputs that do not fit") {
  CHECK(throws<OptionError>([] { TransformerEncoder{{.intermediate_dim = 0, .num_heads = 1}}; },
                            "TransformerEncoder: the option .intermediate_dim is 0"));
  CHECK(throws<OptionError>([] { TransformerDecoder{{.intermediate_dim = 1, .num_heads = 0}}; },
                            "TransformerDecoder: the option .num_heads is 0"));
  CHECK(throws<OptionError>(
      [] { TransformerEncoder{{.intermediate_dim = 1, .num_heads = 1, .dropout = 1}}; },
      ".dropout is 1"));
  CHECK(throws<OptionError>(
      [] { TransformerEncoder{{.intermediate_dim = 1, .num_heads = 1, .activation = "tanhh"}}; },
      "did you mean 'tanh'?"));
  TransformerEncoder encoder{{.intermediate_dim = 3, .num_heads = 5}};
  CHECK(throws<OptionError>([&] { build(encoder, spec); },
                            "input is f64[any, any, 4] with 4 features; expected as many as "
                            ".num_heads, 5, or more"));
  CHECK(throws<ShapeError>(
      [&] {
        build(encoder, Spec::f64({any, 8}));
      },
      "TransformerEncoder 'transformer_encoder'", "[batch, time, features]"));
  CHECK(throws<ShapeError>(
      [&] {
        build(encoder, Spec::f64({any, any, any}));
      },
      "known number of features"));
  CHECK(throws<MaskError>(
      [&] {
        build(encoder, Spec::f64({any, any, 8}).masked(3));
      },
      "does not accept a mask over single values"));
  // A build that failed leaves it free for another one.
  build(encoder, Spec::f64({any, any, 10}));
  CHECK(parameters(encoder)[0].shape() == Shape{10, 5, 2});
  CHECK(throws<ShapeError>([&] { encoder(waves({1, 2, 4}, 1)); }, "its last axis must be 10"));

  TransformerDecoder decoder{{.intermediate_dim = 3, .num_heads = 2}};
  build(decoder, spec);
  CHECK(throws<ShapeError>([&] { decoder(sequence(), encoded()); },
                           "got 2 inputs; expected its own sequence alone, as it was built"));
  TransformerDecoder cross{{.intermediate_dim = 3, .num_heads = 2}};
  build(cross, {spec, Spec::f64({any, any, 3})});
  CHECK(throws<ShapeError>([&] { cross(sequence()); },
                           "got 1 inputs; expected its own sequence and the encoder's"));
}

TEST_CASE("transformer blocks are rebuilt from their descriptions, copied and cloned") {
  const Sequential model{
      TransformerEncoder{{.intermediate_dim = 3, .num_heads = 2, .normalize_first = true}},
      TransformerDecoder{
          {.intermediate_dim = 5, .num_heads = 1, .dropout = 0.5, .name = "decode"}}};
  const auto text = describe(model);
  Sequential first = model, again = model_from(text);
  CHECK(describe(again) == text);
  first.build(spec, Seed{4});
  again.build(spec, Seed{4});
  Sequential copy = first, clone = first.clone();
  const auto before = first.predict(sequence()).to_vector<double>();
  CHECK(again.predict(sequence()).to_vector<double>() == before);
  for (const auto& p : first.parameters()) p.set(waves(p.shape(), 7));
  CHECK(clone.predict(sequence()).to_vector<double>() == before);
  CHECK(copy.predict(sequence()).to_vector<double>() ==
        first.predict(sequence()).to_vector<double>());
  CHECK(first.predict(sequence()).to_vector<double>() != before);
}

}  // namespace
}  // namespace maskgrad::tests::test_transformer
