#pragma once

#include <optional>

#include <maskgrad/core/random.hpp>

namespace maskgrad {

/// What attention does beside softmax(q k^T) v.
struct AttentionOptions {
  std::optional<double> scale = {};  ///< of the products; none: 1 / sqrt(dim)
  /// A query sees no key behind its own. Positions are counted from the last valid query and key of
  /// each sequence, so that the queries of a later step see all keys before them.
  bool causal = false;
  /// Of the valid keys, those at the query's own position and the nearest `window` on either side.
  std::optional<std::int64_t> window = {};
  /// Added to the scores: [query, key], [heads, query, key] or [batch, heads, query, key], any of
  /// them 1; -infinity hides a pair.
  Tensor bias = {};
  double dropout = 0;  ///< of the weights, in training
  Seed seed = {};      ///< of dropout
};

/// Each query's mean of the values, weighted by softmax over the keys of scale q k + bias.
/// Shapes:   q [batch, query, heads, dim], k [batch, key, kv_heads, dim],
///           v [batch, key, kv_heads, dim_v] -> [batch, query, heads, dim_v]; heads a multiple of
///           kv_heads, of which each serves heads / kv_heads heads side by side.
/// Mask:     supports [batch, steps] and [batch], one for the queries and one for the keys; a key
///           counts where key and value are valid. The result has the query's mask. A query
///           without keys gives 0.
/// Gradient: of q, k, v and bias; nothing of size [query, key] is kept or made.
/// Throws:   ShapeError, also for more queries than keys where positions count; TypeError,
///           OptionError; MaskError for a mask over heads or of the bias.
/// Source:   Vaswani et al. 2017; blocks as Dao et al. 2022, FlashAttention.
/// Example:  mg::attention(heads, heads, heads, {.causal = true});  // [4, 5, 2, 4]
Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v,
                 const AttentionOptions& options = {});

/// The weights of `attention`, before dropout, to look at: [batch, query, key, heads].
/// Mask:     supports: true where query, key and options allow the pair; none where there is
///           neither a mask, causal nor window. Of a value's mask: k.with_mask(v.mask()).
/// Gradient: of q, k and bias. Needs memory for every valid pair.
/// Throws:   as attention.
/// Example:  mg::attention_scores(heads, heads, {.window = 1});  // [4, 5, 5, 2]
Tensor attention_scores(const Tensor& q, const Tensor& k, const AttentionOptions& options = {});

}  // namespace maskgrad
