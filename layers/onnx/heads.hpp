#pragma once

#include <optional>

#include <maskgrad/layers/onnx/families.hpp>

namespace maskgrad::onnx {

/// What attention reads: queries, keys and values with their valid steps first.
struct Attending {
  Value query, key, value;
  MaskRef key_mask = {};    ///< that of the keys before they were packed
  bool same_steps = false;  ///< queries and keys are those of one mask, or of one value
  std::string there = {};   ///< bool, [batch or 1, query or 1, key]; empty: every pair
};

Attending attending(const Call& call, const Values& inputs, bool causal,
                    std::optional<std::int64_t> window = {});
/// softmax(scores) of the pairs that are there, of scores [batch, `between` axes, query, key];
/// 0 for a query without keys.
std::string weights_of_scores(const Call& call, const Attending& in, const std::string& scores,
                              int between);
/// The scores [batch, query, key, ...] as a second result, in the order of the inputs' steps.
Value scores_result(const Call& call, const Attending& in, const Values& inputs,
                    const std::string& scores);

/// The settings of MultiHeadAttention and GroupedQueryAttention.
struct Heads {
  std::int64_t heads = 1, kv_heads = 1, key_dim = 1, value_dim = 1;
  bool use_bias = true, causal = false, scores = false;
  std::optional<std::int64_t> window = {};
  std::optional<double> wavelength = {};
};
Values write_heads(const Call& call, const Heads& heads);

}  // namespace maskgrad::onnx
