#include <maskgrad/layers/keras/option_table.hpp>

#include <sstream>

namespace maskgrad::detail {
namespace {

constexpr const char* conv_options =
    "filters kernel_size# strides# padding dilation_rate# groups# activation! use_bias";

// `#`: a whole number, in Keras also as a list of one; `!`: an activation.
constexpr OptionRow rows_of_options[] = {
    {"Masking", "Masking", "mask_value"},
    {"Embedding", "Embedding", "input_dim# output_dim# mask_zero"},
    {"Dense", "Dense", "units# activation! use_bias"},
    {"EinsumDense", "EinsumDense", "equation output_shape activation! bias_axes"},
    {"Activation", "Activation", "activation!"},
    {"ReLU", "ReLU", "max_value negative_slope threshold"},
    {"LeakyReLU", "LeakyReLU", "alpha>negative_slope negative_slope"},
    {"PReLU", "PReLU", "shared_axes"},
    {"ELU", "ELU", "alpha"},
    {"Softmax", "Softmax", "axis"},
    {"Dropout", "Dropout", "rate noise_shape"},
    {"SpatialDropout1D", "SpatialDropout1D", "rate"},
    {"GaussianDropout", "GaussianDropout", "rate"},
    {"AlphaDropout", "AlphaDropout", "rate"},
    {"GaussianNoise", "GaussianNoise", "stddev"},
    {"SimpleRNN", "SimpleRNN",
     "units# activation! use_bias dropout recurrent_dropout return_sequences return_state "
     "go_backwards stateful"},
    {"GRU", "GRU",
     "units# activation! recurrent_activation! use_bias dropout recurrent_dropout return_sequences "
     "return_state go_backwards stateful"},
    {"LSTM", "LSTM",
     "units# activation! recurrent_activation! use_bias unit_forget_bias dropout "
     "recurrent_dropout return_sequences return_state go_backwards stateful"},
    {"CuDNNGRU", "GRU", "units# return_sequences return_state go_backwards stateful"},
    {"CuDNNLSTM", "LSTM", "units# return_sequences return_state go_backwards stateful"},
    {"SimpleRNNCell", "SimpleRNNCell", "units# activation! use_bias dropout recurrent_dropout"},
    {"GRUCell", "GRUCell",
     "units# activation! recurrent_activation! use_bias dropout recurrent_dropout"},
    {"LSTMCell", "LSTMCell",
     "units# activation! recurrent_activation! use_bias unit_forget_bias dropout "
     "recurrent_dropout"},
    {"BatchNormalization", "BatchNormalization",
     "axis# momentum epsilon center scale synchronized"},
    {"LayerNormalization", "LayerNormalization", "axis# epsilon center scale"},
    {"RMSNormalization", "RMSNormalization", "axis# epsilon"},
    {"UnitNormalization", "UnitNormalization", "axis#"},
    {"GroupNormalization", "GroupNormalization", "groups# axis# epsilon center scale"},
    {"Conv1D", "MaskedConv1D", conv_options},
    {"DepthwiseConv1D", "DepthwiseConv1D",
     "kernel_size# strides# padding depth_multiplier# dilation_rate# activation! use_bias"},
    {"SeparableConv1D", "SeparableConv1D",
     "filters# kernel_size# strides# padding dilation_rate# depth_multiplier# activation! "
     "use_bias"},
    {"Conv1DTranspose", "Conv1DTranspose",
     "filters# kernel_size# strides# padding output_padding# dilation_rate# activation! use_bias"},
    {"MaxPooling1D", "MaskedMaxPooling1D", "pool_size# strides# padding"},
    {"AveragePooling1D", "MaskedAveragePooling1D", "pool_size# strides# padding"},
    {"GlobalMaxPooling1D", "GlobalMaxPooling1D", "data_format keepdims"},
    {"GlobalAveragePooling1D", "GlobalAveragePooling1D", "data_format keepdims"},
    {"UpSampling1D", "UpSampling1D", "size#"},
    {"ZeroPadding1D", "ZeroPadding1D", "padding"},
    {"Cropping1D", "Cropping1D", "cropping"},
    {"MultiHeadAttention", "MultiHeadAttention",
     "num_heads# key_dim# value_dim# dropout use_bias output_shape# use_causal_mask "
     "return_attention_scores"},
    {"GroupedQueryAttention", "GroupedQueryAttention",
     "head_dim# num_query_heads# num_key_value_heads# dropout use_bias use_causal_mask "
     "return_attention_scores"},
    {"Attention", "Attention",
     "use_scale score_mode dropout use_causal_mask return_attention_scores"},
    {"AdditiveAttention", "AdditiveAttention",
     "use_scale dropout use_causal_mask return_attention_scores"},
    {"Add", "Add", ""},
    {"Subtract", "Subtract", ""},
    {"Multiply", "Multiply", ""},
    {"Average", "Average", ""},
    {"Maximum", "Maximum", ""},
    {"Minimum", "Minimum", ""},
    {"Concatenate", "Concatenate", "axis#"},
    {"Dot", "Dot", "axes normalize"},
    {"RepeatVector", "RepeatVector", "n#"},
    {"Permute", "Permute", "dims"},
    {"Reshape", "Reshape", "target_shape"},
    {"Flatten", "Flatten", "data_format"},
};

}  // namespace

std::span<const OptionRow> option_table() {
  return rows_of_options;
}

std::vector<OptionWord> option_words(const char* options) {
  std::vector<OptionWord> made;
  std::istringstream words(options);
  for (std::string word; words >> word;) {
    const char how = word.back() == '#' || word.back() == '!' ? word.back() : ' ';
    if (how != ' ') word.pop_back();
    const auto at = word.find('>');
    made.push_back({word.substr(0, at), at == std::string::npos ? word : word.substr(at + 1), how});
  }
  return made;
}

}  // namespace maskgrad::detail
