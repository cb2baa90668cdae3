#pragma once

#include <maskgrad/layers/onnx/exporter.hpp>

/// One function for each class of layers, by families.
namespace maskgrad::onnx {

// activations.cpp
/// The function of that name of values of any rank; its options where there are any.
std::string activated(const Call& call, const std::string& x, const std::string& name);
/// Softmax over axes, of what is valid; 0 elsewhere.
std::string softmax_over(const Call& call, const Value& x, Sizes axes, bool log = false);
Values write_activation(const Call& call);
Values write_relu(const Call& call);
Values write_leaky_relu(const Call& call);
Values write_prelu(const Call& call);
Values write_elu(const Call& call);
Values write_softmax(const Call& call);

// basic.cpp
/// x kernel + bias, of [..., features].
std::string linear(const Call& call, const std::string& x, const std::string& kernel,
                   const std::string& bias);
Values write_identity(const Call& call);
Values write_masking(const Call& call);
Values write_embedding(const Call& call);
Values write_dense(const Call& call);
Values write_einsum_dense(const Call& call);
Values write_time_distributed(const Call& call);
Values write_crf(const Call& call);

// recurrent.cpp
Values write_simple_rnn(const Call& call);
Values write_gru(const Call& call);
Values write_lstm(const Call& call);
Values write_rnn(const Call& call);
Values write_bidirectional(const Call& call);
/// Each sequence's valid steps in reverse order; x is packed.
std::string reversed(const Call& call, const Value& x);

// attention.cpp, heads.cpp, transformer.cpp
Values write_attention(const Call& call);
Values write_additive_attention(const Call& call);
Values write_multi_head_attention(const Call& call);
Values write_grouped_query_attention(const Call& call);
Values write_attention_pooling(const Call& call);
Values write_transformer_encoder(const Call& call);
Values write_transformer_decoder(const Call& call);

// positions.cpp
/// Features of the last axis turned by angles [..., features / 2].
std::string rotated(const Call& call, const std::string& x, const std::string& angles,
                    std::int64_t features);
/// The angles of positions, real or i64, [...] -> [..., count].
std::string angles_of(const Call& call, const std::string& positions,
                      const std::vector<double>& frequencies);
Values write_sine_positions(const Call& call);
Values write_position_embedding(const Call& call);
Values write_rotary(const Call& call);

// normalization.cpp
Values write_layer_normalization(const Call& call);
Values write_rms_normalization(const Call& call);
Values write_unit_normalization(const Call& call);
Values write_batch_normalization(const Call& call);
Values write_group_normalization(const Call& call);

// pooling.cpp
Values write_global_average(const Call& call);
Values write_global_max(const Call& call);
Values write_global_sum(const Call& call);
Values write_first_step(const Call& call);
Values write_last_step(const Call& call);
Values write_max_pooling(const Call& call);
Values write_average_pooling(const Call& call);
Values write_masked_max_pooling(const Call& call);
Values write_masked_average_pooling(const Call& call);

// convolution.cpp
Values write_conv(const Call& call);
Values write_masked_conv(const Call& call);
Values write_depthwise_conv(const Call& call);
Values write_separable_conv(const Call& call);
Values write_conv_transpose(const Call& call);
Values write_up_sampling(const Call& call);
Values write_zero_padding(const Call& call);
Values write_cropping(const Call& call);

// merging.cpp
Values write_add(const Call& call);
Values write_subtract(const Call& call);
Values write_multiply(const Call& call);
Values write_average(const Call& call);
Values write_maximum(const Call& call);
Values write_minimum(const Call& call);
Values write_concatenate(const Call& call);
Values write_dot(const Call& call);

// reshaping.cpp
Values write_repeat_vector(const Call& call);
Values write_permute(const Call& call);
Values write_reshape(const Call& call);
Values write_flatten(const Call& call);
Values write_reverse(const Call& call);

}  // namespace maskgrad::onnx
