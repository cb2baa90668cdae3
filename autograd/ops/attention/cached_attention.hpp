#pragma once

#include <maskgrad/autograd/ops/attention/attention.hpp>

namespace maskgrad::detail {

/// Keys and values of each sequence so far, with room behind them for those to come.
struct KeyCache {
  Tensor keys, values;  ///< [batch, room, kv_heads, dim]: the first `count` steps are there
  Tensor count;         ///< i64 [batch]
};

/// Puts the steps of k and v behind those of the cache; with a window, the nearest so many stay
/// for sure. Steps are written in place unless `shared`, when the cache is copied first.
void append(KeyCache& cache, const Tensor& k, const Tensor& v, std::optional<std::int64_t> window,
            bool shared);

/// Causal attention of q, the last steps of the cache, to all that is in it; without a gradient.
/// Shapes: q [batch, query, heads, dim] under a mask [batch, query] -> [batch, query, heads, dim].
Tensor cached_attention(const Tensor& q, const KeyCache& cache, const AttentionOptions& options);

}  // namespace maskgrad::detail
