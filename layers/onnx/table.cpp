#include <maskgrad/layers/onnx/table.hpp>

#include <maskgrad/layers/onnx/families.hpp>

namespace maskgrad::onnx {
namespace {

constexpr std::string_view no_operator = "ONNX has no operator for its recurrence";
constexpr std::string_view other_recurrence = "GRU, LSTM or SimpleRNN in its place";
constexpr std::string_view stateful = "stateful";
constexpr std::string_view given_states = "initial states as inputs, with .return_state";
constexpr std::string_view of_three = "SimpleRNN, GRU or LSTM in it";
constexpr std::string_view no_cell = "a cell by itself is not written";
constexpr std::string_view in_rnn = "the cell in an RNN";

constexpr Row all_rows[] = {
    {"Masking", write_masking, "Equal, ReduceMax: a mask, which may have holes"},
    {"Embedding", write_embedding, "Gather; with mask_zero a mask of the ids that are not 0"},
    {"Dense", write_dense, "MatMul, Add"},
    {"EinsumDense", write_einsum_dense, "Einsum, Add"},
    {"Activation", write_activation, "the operator of that name, or a few"},
    {"ReLU", write_relu, "Relu, or Where"},
    {"LeakyReLU", write_leaky_relu, "LeakyRelu"},
    {"PReLU", write_prelu, "PRelu"},
    {"ELU", write_elu, "Elu"},
    {"Softmax", write_softmax, "Softmax; over steps Exp, ReduceSum, Div of the valid ones"},
    {"Lambda", nullptr, "", "what its function does cannot be read",
     "layers of the library in its place"},
    {"TimeDistributed", write_time_distributed, "Reshape around its layer"},
    {"Dropout", write_identity, "nothing"},
    {"SpatialDropout1D", write_identity, "nothing"},
    {"GaussianDropout", write_identity, "nothing"},
    {"AlphaDropout", write_identity, "nothing"},
    {"GaussianNoise", write_identity, "nothing"},
    {"SimpleRNN", write_simple_rnn, "RNN with sequence_lens, or Scan", stateful, given_states},
    {"GRU", write_gru, "GRU with sequence_lens, or Scan", stateful, given_states},
    {"LSTM", write_lstm, "LSTM with sequence_lens, or Scan", stateful, given_states},
    {"MinGRU", nullptr, "", no_operator, other_recurrence},
    {"MinLSTM", nullptr, "", no_operator, other_recurrence},
    {"RGLRU", nullptr, "", no_operator, other_recurrence},
    {"S6", nullptr, "", no_operator, other_recurrence},
    {"LinearAttention", nullptr, "", no_operator, other_recurrence},
    {"Bidirectional", write_bidirectional, "two of RNN, GRU, LSTM or Scan, one in reverse",
     "another layer in it", of_three},
    {"MultiHeadAttention", write_multi_head_attention, "MatMul, Softmax of the valid pairs"},
    {"GroupedQueryAttention", write_grouped_query_attention, "MatMul, Softmax of the valid pairs"},
    {"Attention", write_attention, "MatMul, Softmax of the valid pairs"},
    {"AdditiveAttention", write_additive_attention, "Tanh, ReduceSum, Softmax of the valid pairs"},
    {"TransformerEncoder", write_transformer_encoder, "those of its layers"},
    {"TransformerDecoder", write_transformer_decoder, "those of its layers"},
    {"SinePositionEncoding", write_sine_positions, "Range, Sin, Cos"},
    {"PositionEmbedding", write_position_embedding, "Range, Gather"},
    {"RotaryEmbedding", write_rotary, "Range, Sin, Cos, Mul"},
    {"RNN", write_rnn, "RNN, GRU, LSTM or Scan, by its cell", "another cell than those three",
     "an RNN for each cell, one behind the other"},
    {"SimpleRNNCell", nullptr, "", no_cell, in_rnn},
    {"GRUCell", nullptr, "", no_cell, in_rnn},
    {"LSTMCell", nullptr, "", no_cell, in_rnn},
    {"StackedRNNCells", nullptr, "", no_cell, "an RNN for each cell, one behind the other"},
    {"LayerNormalization", write_layer_normalization, "LayerNormalization"},
    {"RMSNormalization", write_rms_normalization, "ReduceMean, Sqrt, Div, Mul"},
    {"UnitNormalization", write_unit_normalization, "ReduceSum, Sqrt, Div"},
    {"BatchNormalization", write_batch_normalization, "BatchNormalization by moving statistics"},
    {"GroupNormalization", write_group_normalization, "ReduceSum, Div of the valid steps"},
    {"GlobalAveragePooling1D", write_global_average, "ReduceSum, Div of the valid steps"},
    {"GlobalMaxPooling1D", write_global_max, "ReduceMax of the valid steps"},
    {"GlobalSumPooling1D", write_global_sum, "ReduceSum of the valid steps"},
    {"FirstStep", write_first_step, "Gather", "a mask over single values",
     "a mask over whole steps"},
    {"LastStep", write_last_step, "GatherND by the lengths", "a mask over single values",
     "a mask over whole steps"},
    {"AttentionPooling1D", write_attention_pooling, "Mul, ReduceSum, Softmax of the valid steps"},
    {"Add", write_add, "Add"},
    {"Subtract", write_subtract, "Sub"},
    {"Multiply", write_multiply, "Mul"},
    {"Average", write_average, "Add, Div"},
    {"Maximum", write_maximum, "Max"},
    {"Minimum", write_minimum, "Min"},
    {"Concatenate", write_concatenate, "Concat, of masks too where it joins steps"},
    {"Dot", write_dot, "Einsum"},
    {"RepeatVector", write_repeat_vector, "Expand"},
    {"Permute", write_permute, "Transpose"},
    {"Reshape", write_reshape, "Reshape"},
    {"Flatten", write_flatten, "Reshape"},
    {"Reverse", write_reverse, "ReverseSequence", "a mask over single values",
     "a mask over whole steps"},
    {"MaskedConv1D", write_masked_conv, "Conv of the valid steps; same with strides MatMul"},
    {"MaskedMaxPooling1D", write_masked_max_pooling, "GatherND, ReduceMax"},
    {"MaskedAveragePooling1D", write_masked_average_pooling, "GatherND, ReduceSum, Div"},
    {"Conv1D", write_conv, "Conv; same with strides Gather, MatMul"},
    {"DepthwiseConv1D", write_depthwise_conv, "Conv"},
    {"SeparableConv1D", write_separable_conv, "Conv, MatMul"},
    {"Conv1DTranspose", write_conv_transpose, "ConvTranspose"},
    {"MaxPooling1D", write_max_pooling, "Gather, ReduceMax"},
    {"AveragePooling1D", write_average_pooling, "Gather, ReduceSum, Div"},
    {"UpSampling1D", write_up_sampling, "Tile"},
    {"ZeroPadding1D", write_zero_padding, "Pad"},
    {"Cropping1D", write_cropping, "Slice"},
    {"CRF", write_crf, "Where, Add: the potentials; decode reads them with the transitions"},
};

}  // namespace

std::span<const Row> rows() {
  return all_rows;
}

const Row* row_of(std::string_view kind) {
  for (const auto& row : all_rows) {
    if (row.kind == kind) return &row;
  }
  return nullptr;
}

}  // namespace maskgrad::onnx
