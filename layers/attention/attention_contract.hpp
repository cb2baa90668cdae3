#pragma once

#include <maskgrad/autograd/ops/attention/additive_attention.hpp>
#include <maskgrad/layers/layer/layer.hpp>

namespace maskgrad::detail {

/// What a layer does whose valid queries read valid keys.
inline constexpr MaskContract attention_contract{
    .role = MaskRole::supports,
    .why = "each valid query reads the valid keys of its sequence",
    .full_role = MaskRole::unsupported,
    .ways_out = mask_whole_steps,
    .keras = "a query without keys gets the mean of the padding"};

/// The inputs of an attention layer in Keras's order: query, value, key. One alone is all three; of
/// two the second is value and key.
struct AttentionInputs {
  Tensor query, value, key;
};
/// Throws: ShapeError unless there are one to three inputs [batch, time, features].
AttentionInputs attention_inputs(const Tensors& inputs);
/// The keys that count: those of which the value is valid too.
Tensor valid_keys(const Tensor& key, const Tensor& value);
/// Additive attention of `query` and `key`, made of those of `in`; then its scores, if wanted.
Tensors additive(const AttentionInputs& in, const Tensor& query, const Tensor& key, const Tensor& w,
                 const AdditiveAttentionOptions& options, bool scores);

}  // namespace maskgrad::detail
