#include <maskgrad/layers/attention/attention_contract.hpp>

#include <maskgrad/autograd/ops/attention/additive_attention.hpp>
#include <maskgrad/autograd/ops/attention/cached_attention.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/layers/layer/check.hpp>

namespace maskgrad::detail {

AttentionInputs attention_inputs(const Tensors& inputs) {
  if (inputs.size() > 3) {
    fail<ShapeError>(layer_title(),
                     "got {} inputs; expected a query, and a value and a key where they differ",
                     inputs.size());
  }
  for (const auto& x : inputs) check::layer_rank(x, 3, "[batch, time, features]");
  const Tensor& value = inputs.size() > 1 ? inputs[1] : inputs[0];
  return {inputs[0], value, inputs.size() > 2 ? inputs[2] : value};
}

TimeContract time_of_attention(bool causal, std::optional<std::int64_t> window, bool drops) {
  if (causal) {
    return {.look_back = window.value_or(endless),
            .evaluate_only = window && drops,  // weights are dropped by the rank of their key
            .state = "the keys and values that are read"};
  }
  if (window) return {.look_back = *window, .look_ahead = *window, .evaluate_only = drops};
  return attention_time;
}

namespace {

/// The keys and values that a slot holds with room behind them.
KeyCache cache_in(const extend::StreamSlot& slot) {
  const auto& kept = slot.tensors;
  if (kept.size() != 3 || kept[2].dtype() != DType::i64 || kept[2].rank() != 1) refuse_kept();
  for (const auto& x : {kept[0], kept[1]}) {
    if (x.rank() != 4 || x.has_mask() || x.shape()[0] != kept[2].shape()[0] ||
        x.shape()[1] != kept[0].shape()[1]) {
      refuse_kept();
    }
  }
  for (const auto count : rows::of<std::int64_t>(kept[2])) {
    if (count < 0 || count > kept[0].shape()[1]) refuse_kept();
  }
  return {kept[0], kept[1], kept[2]};
}

/// What the slot holds as steps: they may stand in a cache with room behind them.
void as_steps(extend::StreamSlot& slot) {
  if (slot.room) {
    const KeyCache cache = cache_in(slot);
    const auto count = cache.count.to_vector<std::int64_t>();
    const Mask there = Mask::from_lengths(count, cache.keys.shape()[1]);
    slot.tensors = {with_mask(cache.keys, there), with_mask(cache.values, there)};
    slot.room = false;
  }
  if (!slot.tensors.empty() && slot.tensors.size() != 2) refuse_kept();
}

KeyCache as_cache(extend::StreamSlot& slot) {
  if (slot.tensors.empty()) return {};
  if (slot.room) return cache_in(slot);
  if (slot.tensors.size() != 2) refuse_kept();
  KeyCache cache;
  append(cache, slot.tensors[0].value(), slot.tensors[1].value(), {}, false);
  return cache;
}

/// Whether what is kept and what comes are steps of one kind.
void check_keys(const extend::StreamSlot& slot, const Tensor& key, const Tensor& value) {
  if (slot.tensors.empty()) return;
  const auto fits = [](const Tensor& kept, const Tensor& x) {
    return kept.dtype() == x.dtype() && kept.rank() == x.rank() &&
           kept.shape()[0] == x.shape()[0] &&
           kept.shape().sub(2, x.rank()) == x.shape().sub(2, x.rank());
  };
  if (slot.tensors.size() < 2 || !fits(slot.tensors[0], key) || !fits(slot.tensors[1], value)) {
    refuse_kept();
  }
}

}  // namespace

extend::StreamSlot* keys_slot(const Tensor& query, const Tensor& key, const Tensor& value) {
  auto* slot = extend::stream_slot(query);
  if (slot && (key.mask() != query.mask() || value.mask() != query.mask())) {
    fail<ShapeError>(layer_title(),
                     "the query is {}, the key {} and the value {}; expected the same steps in a "
                     "stream, as a sequence that reads itself",
                     query.describe(), key.describe(), value.describe());
  }
  return slot;
}

void keep_keys(extend::StreamSlot& slot, Tensor& key, Tensor& value,
               std::optional<std::int64_t> window) {
  check_keys(slot, key, value);
  as_steps(slot);
  if (!slot.tensors.empty()) {
    key = followed(slot.tensors[0], key);
    value = followed(slot.tensors[1], value);
  }
  slot.tensors =
      window ? Tensors{last_steps(key, *window), last_steps(value, *window)} : Tensors{key, value};
}

Tensor attend_to_kept(extend::StreamSlot& slot, const Tensor& query, const Tensor& key,
                      const Tensor& value, const AttentionOptions& options) {
  check_keys(slot, key, value);
  KeyCache cache = as_cache(slot);
  append(cache, key, value, options.window, slot.shared);
  slot.shared = false;
  slot.room = true;
  slot.tensors = {cache.keys, cache.values, cache.count};
  return cached_attention(query, cache, options);
}

Tensor valid_keys(const Tensor& key, const Tensor& value) {
  return value.has_mask() ? with_mask(key, value.mask()) : key;
}

Tensors additive(const AttentionInputs& in, const Tensor& query, const Tensor& key, const Tensor& w,
                 const AdditiveAttentionOptions& options, bool scores) {
  Tensors outputs{additive_attention(query, key, in.value, w, options)};
  if (scores) {
    outputs.push_back(additive_attention_scores(query, valid_keys(key, in.value), w, options));
  }
  return outputs;
}

}  // namespace maskgrad::detail
