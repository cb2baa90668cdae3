#include "bench/layer_case.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace maskgrad::bench {
namespace {

constexpr std::string_view refuses = "refuses the mask";
constexpr std::string_view a_cell = "makes one step; RNN runs it";

constexpr std::string_view samples[] = {"RepeatVector"};
constexpr std::string_view of_ids[] = {"Embedding"};

bool is_one_of(std::string_view kind, std::span<const std::string_view> kinds) {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

std::vector<LayerCase> all_cases() {
  return {
      {"Masking"},
      {"Embedding", R"({"input_dim": 10000, "output_dim": 256})"},
      {"Dense", R"({"units": 256})"},
      {"EinsumDense", R"({"equation": "...x,xy->...y", "output_shape": 256})"},
      {"Activation", R"({"activation": "gelu"})"},
      {"ReLU"},
      {"LeakyReLU"},
      {"PReLU", R"({"shared_axes": [1]})"},
      {"ELU"},
      {"Softmax"},
      {.kind = "Lambda", .left_out = "is what its function is"},
      {"TimeDistributed", R"({"layer": {"class_name": "Dense", "config": {"units": 256}}})"},
      {"Dropout", R"({"rate": 0.5})"},
      {"SpatialDropout1D", R"({"rate": 0.5})"},
      {"GaussianDropout", R"({"rate": 0.5})"},
      {"AlphaDropout", R"({"rate": 0.5})"},
      {"GaussianNoise", R"({"stddev": 0.5})"},
      {"SimpleRNN", R"({"units": 128, "return_sequences": true})", 32, 256, 128},
      {"GRU", R"({"units": 128, "return_sequences": true})", 32, 256, 128},
      {"LSTM", R"({"units": 128, "return_sequences": true})", 32, 256, 128},
      {"MinGRU", R"({"units": 128, "return_sequences": true})", 32, 256, 128},
      {"MinLSTM", R"({"units": 128, "return_sequences": true})", 32, 256, 128},
      {"RGLRU", R"({"num_blocks": 4, "return_sequences": true})", 32, 256, 128},
      {"S6", R"({"return_sequences": true})", 32, 256, 128},
      {"LinearAttention", R"({"num_heads": 4, "key_dim": 32, "return_sequences": true})", 32, 256,
       128},
      {"Bidirectional",
       R"({"layer": {"class_name": "GRU", "config": {"units": 128, "return_sequences": true}}})",
       32, 256, 128},
      {"MultiHeadAttention", R"({"num_heads": 4, "key_dim": 32})", 32, 256, 128, 2},
      {"GroupedQueryAttention",
       R"({"head_dim": 32, "num_query_heads": 4, "num_key_value_heads": 2})", 32, 256, 128, 2},
      {"Attention", "{}", 32, 256, 128, 2},
      {"AdditiveAttention", "{}", 16, 128, 64, 2},
      {"TransformerEncoder", R"({"intermediate_dim": 512, "num_heads": 4})", 32, 128, 128},
      {"TransformerDecoder", R"({"intermediate_dim": 512, "num_heads": 4})", 32, 128, 128, 2},
      {"SinePositionEncoding"},
      {"PositionEmbedding", R"({"sequence_length": 512})"},
      {"RotaryEmbedding"},
      {"RNN", R"({"cell": {"class_name": "GRUCell", "config": {"units": 64}},
                  "return_sequences": true})",
       16, 64, 64},
      {.kind = "SimpleRNNCell", .left_out = a_cell},
      {.kind = "GRUCell", .left_out = a_cell},
      {.kind = "LSTMCell", .left_out = a_cell},
      {.kind = "StackedRNNCells", .left_out = a_cell},
      {"LayerNormalization"},
      {"RMSNormalization"},
      {"UnitNormalization"},
      {"BatchNormalization"},
      {"GroupNormalization", R"({"groups": 32})"},
      {"GlobalAveragePooling1D"},
      {"GlobalMaxPooling1D"},
      {"GlobalSumPooling1D"},
      {"FirstStep"},
      {"LastStep"},
      {"AttentionPooling1D"},
      {"Add", "{}", 32, 512, 256, 2},
      {"Subtract", "{}", 32, 512, 256, 2},
      {"Multiply", "{}", 32, 512, 256, 2},
      {"Average", "{}", 32, 512, 256, 2},
      {"Maximum", "{}", 32, 512, 256, 2},
      {"Minimum", "{}", 32, 512, 256, 2},
      {"Concatenate", "{}", 32, 512, 256, 2},
      {.kind = "Dot", .left_out = "is a product of its two inputs, as Dense"},
      {"RepeatVector", R"({"n": 4})"},
      {.kind = "Permute", .options = R"({"dims": [1, 3, 2]})", .columns = 16},
      {"Reshape", R"({"target_shape": [-1, 16, 16]})"},
      {.kind = "Flatten", .left_out = refuses},
      {"Reverse"},
      {"MaskedConv1D", R"({"filters": 256, "kernel_size": 3, "padding": "same"})", 16, 256},
      {"MaskedMaxPooling1D", R"({"pool_size": 2})"},
      {"MaskedAveragePooling1D", R"({"pool_size": 2})"},
      {.kind = "CRF", .left_out = "is a loss: loss/CRF"},
  };
}

}  // namespace

std::string LayerCase::size() const {
  return fmt::format("b{}_t{}_f{}", batch, time, features);
}

const std::vector<LayerCase>& layer_cases() {
  static const auto all = all_cases();
  return all;
}

void check_complete() {
  for (const auto& layer : registered_layers()) {
    const bool known = std::any_of(layer_cases().begin(), layer_cases().end(),
                                   [&](const auto& c) { return c.kind == layer.kind; });
    if (known || layer.contract.role == MaskRole::unsupported) continue;
    fail<StateError>("bench", "the layer {} is not measured", layer.kind);
  }
}

Tensors inputs_of(const LayerCase& c, const Valid& valid) {
  Tensors inputs;
  for (int i = 0; i < c.inputs; ++i) {
    const Seed seed{static_cast<std::uint64_t>(i + 1)};
    Tensor x = random_normal({c.batch, c.time, c.features}, seed);
    if (is_one_of(c.kind, of_ids)) {
      x = cast(random_uniform({c.batch, c.time}, seed, 0, 10000), DType::i64);
    }
    if (c.columns > 0) x = reshape(x, {c.batch, c.time, -1, c.columns});
    if (valid.share < 1) x = x.with_mask(mask_of(c.batch, c.time, valid));
    if (is_one_of(c.kind, samples)) x = reshape(x, {c.batch * c.time, c.features});
    inputs.push_back(is_real(x.dtype()) ? x.with_grad() : x);
  }
  return inputs;
}

AnyLayer layer_of(const LayerCase& c) {
  AnyLayer layer = make_layer(c.kind, c.options);
  std::vector<Spec> specs;
  for (const auto& x : inputs_of(c, valids[0])) {
    specs.push_back(is_real(x.dtype()) ? Spec::f32(x.shape()) : Spec::ids(x.shape()));
  }
  build(layer, specs, Seed{1});
  return layer;
}

}  // namespace maskgrad::bench
