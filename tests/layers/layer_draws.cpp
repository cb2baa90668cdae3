#include "layers/layer_draws.hpp"

#include "layers/layer_draws_recurrent.hpp"

namespace maskgrad::tests {
namespace in_layer_draws {

constexpr std::string_view in_an_rnn = "takes one step; it is drawn as the cell of an RNN";
constexpr std::string_view refuses = "refuses the mask that every random model is given";
constexpr std::string_view of_samples = "LastStep";  // makes samples of steps
constexpr std::string_view dropped_by_index = "what is dropped depends on the sequence's index";

std::string activation(Dice& d) {
  return d.one_of<std::string>(
      {"linear", "relu", "tanh", "sigmoid", "softsign", "gelu", "softmax", "silu"});
}

Json masked_conv(Dice& d, std::int64_t) {
  const bool dilated = d.coin();
  return {{"filters", d.between(1, 3)},
          {"kernel_size", d.between(1, 3)},
          {"strides", dilated ? 1 : d.between(1, 2)},
          {"padding", d.one_of<std::string>({"valid", "same", "causal"})},
          {"dilation_rate", dilated ? d.between(1, 2) : 1},
          {"use_bias", d.coin()}};
}

Json plain_attention(Dice& d, std::int64_t) {
  return {{"use_scale", d.coin()}, {"use_causal_mask", d.coin()}};
}

Json scaled(Dice& d, std::int64_t) {
  return {{"center", d.coin()}, {"scale", d.coin()}};
}

Json keepdims(Dice& d, std::int64_t) {
  return {{"keepdims", d.coin()}};
}

Json pooled(Dice& d, std::int64_t) {
  return {{"pool_size", d.between(1, 3)},
          {"strides", d.between(1, 2)},
          {"padding", d.one_of<std::string>({"valid", "same"})}};
}

Json rate(Dice& d, std::int64_t) {
  return {{"rate", 0.1 * static_cast<double>(d.between(1, 6))}};
}

/// As many heads as divide the features.
Json transformer(Dice& d, std::int64_t features) {
  return {{"intermediate_dim", d.between(1, 4)},
          {"num_heads", features % 2 == 0 ? d.between(1, 2) : 1},
          {"normalize_first", d.coin()}};
}

Json no_options(Dice&, std::int64_t) {
  return Json::object();
}

}  // namespace in_layer_draws

const std::vector<LayerDraw>& layer_draws() {
  using namespace in_layer_draws;
  static const std::vector<LayerDraw> all{
      {"Masking",
       [](Dice& d, auto) {
         return Json{{"mask_value", d.between(0, 1)}};
       }},
      {"Embedding",
       [](Dice& d, auto) {
         return Json{{"input_dim", 5}, {"output_dim", d.between(1, 4)}, {"mask_zero", d.coin()}};
       }},
      {"Dense",
       [](Dice& d, auto) {
         return Json{
             {"units", d.between(1, 4)}, {"activation", activation(d)}, {"use_bias", d.coin()}};
       }},
      {"EinsumDense",
       [](Dice& d, auto) {
         const auto units = d.between(1, 3);
         return Json{{"equation", "...x,xy->...y"},
                     {"output_shape", units},
                     {"activation", activation(d)},
                     {"bias_axes", d.coin() ? Json("y") : Json()}};
       }},
      {"Activation",
       [](Dice& d, auto) {
         return Json{{"activation", activation(d)}};
       }},
      {"ReLU",
       [](Dice& d, auto) {
         return Json{{"max_value", d.coin() ? Json(1.5) : Json()},
                     {"negative_slope", 0.1 * static_cast<double>(d.between(0, 3))}};
       }},
      {"LeakyReLU", no_options},
      {"PReLU",
       [](Dice& d, auto) {
         return Json{{"shared_axes", d.coin() ? Json{1} : Json{1, 2}}};
       }},
      {"ELU", no_options},
      {"Softmax",
       [](Dice& d, auto) {
         return Json{{"axis", d.coin() ? -1 : 1}};
       }},
      {.kind = "Lambda", .left_out = "a function cannot be described"},
      {"TimeDistributed",
       [](Dice& d, auto) {
         return Json{{"layer", described("Dense", {{"units", d.between(1, 3)}})}};
       }},
      {.kind = "Dropout", .options = rate, .not_alone = dropped_by_index},
      {.kind = "SpatialDropout1D", .options = rate, .not_alone = dropped_by_index},
      {.kind = "GaussianDropout", .options = rate, .not_alone = dropped_by_index},
      {.kind = "AlphaDropout", .options = rate, .not_alone = dropped_by_index},
      {.kind = "GaussianNoise",
       .options =
           [](Dice& d, auto) {
             return Json{{"stddev", 0.1 * static_cast<double>(d.between(1, 6))}};
           },
       .not_alone = dropped_by_index},
      {"SimpleRNN", recurrent},
      {"GRU", gru},
      {"LSTM", recurrent},
      {"MinGRU", min_rnn},
      {"MinLSTM", min_rnn},
      {"RGLRU", rg_lru},
      {"S6", s6},
      {"LinearAttention", linear_attention},
      {"Bidirectional", bidirectional},
      {"MultiHeadAttention",
       [](Dice& d, auto) {
         return Json{{"num_heads", d.between(1, 2)},
                     {"key_dim", d.between(1, 3)},
                     {"use_bias", d.coin()},
                     {"use_causal_mask", d.coin()}};
       },
       2},
      {"GroupedQueryAttention",
       [](Dice& d, auto) {
         const auto groups = d.between(1, 2);
         return Json{{"head_dim", d.between(1, 3)},
                     {"num_query_heads", groups * d.between(1, 2)},
                     {"num_key_value_heads", groups},
                     {"use_causal_mask", d.coin()}};
       },
       2},
      {"Attention",
       [](Dice& d, auto f) {
         Json options = plain_attention(d, f);
         options["score_mode"] = d.one_of<std::string>({"dot", "concat"});
         return options;
       },
       2},
      {"AdditiveAttention", plain_attention, 2},
      {"TransformerEncoder", transformer},
      {"TransformerDecoder", transformer, 2},
      {"SinePositionEncoding",
       [](Dice& d, auto) {
         return Json{{"start_index", d.between(0, 3)}};
       }},
      {"PositionEmbedding",
       [](Dice& d, auto) {
         return Json{{"sequence_length", 8}, {"start_index", d.between(0, 3)}};
       }},
      {"RotaryEmbedding",
       [](Dice& d, auto) {
         return Json{{"start_index", d.between(0, 3)}};
       }},
      {"RNN", rnn},
      {.kind = "SimpleRNNCell", .left_out = in_an_rnn},
      {.kind = "GRUCell", .left_out = in_an_rnn},
      {.kind = "LSTMCell", .left_out = in_an_rnn},
      {.kind = "StackedRNNCells", .left_out = in_an_rnn},
      {"LayerNormalization", scaled},
      {"RMSNormalization", no_options},
      {"UnitNormalization", no_options},
      {.kind = "BatchNormalization", .options = scaled, .not_alone = "statistics over the batch"},
      {"GroupNormalization",
       [](Dice& d, auto f) {
         Json options = scaled(d, f);
         options["groups"] = d.coin() ? -1 : d.between(1, 3);
         return options;
       }},
      {"GlobalAveragePooling1D", keepdims},
      {"GlobalMaxPooling1D", keepdims},
      {.kind = "GlobalSumPooling1D",
       .left_out = "the sum of nothing is a value, which layers behind it take for a step"},
      {"FirstStep", no_options},
      {"LastStep", no_options},
      {"AttentionPooling1D",
       [](Dice& d, auto) {
         return Json{{"num_heads", d.between(1, 2)}, {"keepdims", d.coin()}};
       }},
      {"Add", no_options, 2, 2},
      {"Subtract", no_options, 2, 2},
      {"Multiply", no_options, 2, 2},
      {"Average", no_options, 2, 2},
      {"Maximum", no_options, 2, 2},
      {"Minimum", no_options, 2, 2},
      {"Concatenate",
       [](Dice& d, auto) {
         return Json{{"axis", d.coin() ? -1 : 1}};
       },
       2, 2},
      {.kind = "Dot",
       .options =
           [](Dice& d, auto) {
             return Json{{"axes", -1}, {"normalize", d.coin()}};
           },
       .inputs = 2,
       .least = 2,
       .behind = of_samples},
      {.kind = "RepeatVector",
       .options =
           [](Dice& d, auto) {
             return Json{{"n", d.between(1, 3)}};
           },
       .behind = of_samples},
      {"Permute",
       [](Dice& d, auto) {
         return Json{{"dims", d.coin() ? Json{1, 2} : Json{2, 1}}};
       }},
      {"Reshape",
       [](Dice& d, auto f) {
         return Json{{"target_shape", d.coin() ? Json{-1, f} : Json{-1, f, 1}}};
       }},
      {.kind = "Flatten", .options = no_options, .behind = of_samples},
      {"Reverse", no_options},
      {"MaskedConv1D", masked_conv},
      {"MaskedMaxPooling1D", pooled},
      {"MaskedAveragePooling1D", pooled},
      {.kind = "Conv1D", .left_out = refuses},
      {.kind = "DepthwiseConv1D", .left_out = refuses},
      {.kind = "SeparableConv1D", .left_out = refuses},
      {.kind = "Conv1DTranspose", .left_out = refuses},
      {.kind = "MaxPooling1D", .left_out = refuses},
      {.kind = "AveragePooling1D", .left_out = refuses},
      {.kind = "UpSampling1D", .left_out = refuses},
      {.kind = "ZeroPadding1D", .left_out = refuses},
      {.kind = "Cropping1D", .left_out = refuses},
      {"CRF",
       [](Dice& d, auto) {
         return Json{{"use_boundary", d.coin()}};
       }},
  };
  return all;
}

}  // namespace maskgrad::tests
