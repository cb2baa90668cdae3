#pragma once

#include <optional>

#include <maskgrad/autograd/ops/attention/additive_attention.hpp>
#include <maskgrad/autograd/ops/attention/attention.hpp>
#include <maskgrad/layers/layer/layer.hpp>

namespace maskgrad::detail {

/// What a layer does whose valid queries read valid keys.
inline constexpr MaskContract attention_contract{
    .role = MaskRole::supports,
    .why = "each valid query reads the valid keys of its sequence",
    .full_role = MaskRole::unsupported,
    .ways_out = mask_whole_steps,
    .keras = "a query without keys gets the mean of the padding"};

/// In the table, without options.
inline constexpr TimeContract attention_time =
    TimeContract::whole("each query reads all keys of its sequence", ".use_causal_mask = true");
/// Of attention of a sequence to itself; `window`: of the keys, the nearest on either side.
TimeContract time_of_attention(bool causal, std::optional<std::int64_t> window = {},
                               bool drops = false);

/// Of attention to a stream's context: each query is a step by itself.
constexpr std::optional<TimeContract> attention_over_context(
    bool drops, bool causal, std::optional<std::int64_t> window = {}) {
  if (causal || window) return std::nullopt;
  return TimeContract{.evaluate_only = drops};
}

/// The inputs of an attention layer in Keras's order: query, value, key. One alone is all three; of
/// two the second is value and key.
struct AttentionInputs {
  Tensor query, value, key;
};
/// Throws: ShapeError unless there are one to three inputs [batch, time, features].
AttentionInputs attention_inputs(const Tensors& inputs);
/// Inside of a push, the slot of attention that is causal; null outside. ShapeError unless query,
/// key and value are the same steps.
extend::StreamSlot* keys_slot(const Tensor& query, const Tensor& key, const Tensor& value);
/// Gives the keys and values of each sequence from its beginning, or the nearest `window` before
/// the push, and keeps them in the slot.
void keep_keys(extend::StreamSlot& slot, Tensor& key, Tensor& value,
               std::optional<std::int64_t> window = {});
/// Attention to those and to the steps of the push, without a gradient: keys and values are written
/// once, behind those of before.
Tensor attend_to_kept(extend::StreamSlot& slot, const Tensor& query, const Tensor& key,
                      const Tensor& value, const AttentionOptions& options);
/// The keys that count: those of which the value is valid too.
Tensor valid_keys(const Tensor& key, const Tensor& value);
/// Additive attention of `query` and `key`, made of those of `in`; then its scores, if wanted.
Tensors additive(const AttentionInputs& in, const Tensor& query, const Tensor& key, const Tensor& w,
                 const AdditiveAttentionOptions& options, bool scores);

}  // namespace maskgrad::detail
