#include <maskgrad/core/kernels/attention_decode.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include <maskgrad/core/kernels/simd/lines.hpp>
#include <maskgrad/core/pooled.hpp>
#include <maskgrad/core/threads.hpp>

namespace maskgrad::kernels {
namespace {

constexpr std::int64_t decode_grain = 16'384;  // values of keys that a thread reads, at the least

constexpr std::int64_t decode_block = 64;  // keys that stay in the nearest cache for all heads

/// Calls f(first, count) for blocks of `count` keys.
template <class F>
void each_decode_block(std::int64_t count, F&& f) {
  for (std::int64_t at = 0; at < count; at += decode_block)
    f(at, std::min(decode_block, count - at));
}

/// Query row `r` of sequence `s` in the heads [begin, end); `weights` has room for the keys of each.
template <class T>
void attend_in_heads(const AttentionProblem<T>& p, std::int64_t s, std::int64_t r,
                     std::int64_t begin, std::int64_t end, std::int64_t room, T* weights, T* y) {
  const auto& lines = simd::lines<T>();
  const auto from = p.from ? p.from[r] : 0, to = p.to ? p.to[r] : p.key_count[s];
  const auto count = std::max<std::int64_t>(0, to - from), group = p.heads / p.kv_heads;
  const auto row = p.key_first[s] + from, keys = p.kv_heads * p.dim, values = p.kv_heads * p.dim_v;
  const auto line = [&](std::int64_t head) { return weights + (head - begin) * room; };
  each_decode_block(count, [&](std::int64_t at, std::int64_t n) {
    for (auto h = begin; h < end; ++h) {
      lines.dots(p.q + (r * p.heads + h) * p.dim, p.k + (row + at) * keys + h / group * p.dim, keys,
                 n, p.dim, line(h) + at);
    }
  });
  for (auto h = begin; h < end; ++h) {
    T* w = line(h);
    for (std::int64_t i = 0; i < count; ++i) w[i] *= p.scale;
    const T top = lines.greatest(w, count);
    if (top == -std::numeric_limits<T>::infinity()) {
      std::fill_n(w, count, T(0));
      continue;
    }
    lines.exp_scaled(w, top, T(1), false, w, count);
    const T share = static_cast<T>(1 / lines.sum(w, count));
    for (std::int64_t i = 0; i < count; ++i) w[i] *= share;
  }
  T* out = y + r * p.heads * p.dim_v;
  std::fill(out + begin * p.dim_v, out + end * p.dim_v, T(0));
  each_decode_block(count, [&](std::int64_t at, std::int64_t n) {
    for (auto h = begin; h < end; ++h) {
      lines.weighted_sum(line(h) + at, p.v + (row + at) * values + h / group * p.dim_v, values, n,
                         p.dim_v, out + h * p.dim_v);
    }
  });
}

}  // namespace

template <class T>
void attention_decode(const AttentionProblem<T>& p, T* y) {
  std::int64_t longest = 0, read = 0;
  for (std::int64_t s = 0; s < p.batch; ++s) {
    longest = std::max(longest, p.key_count[s]);
    read += p.key_count[s] * p.query_count[s];
  }
  const auto parts = p.batch * p.heads;
  const auto shards = std::clamp<std::int64_t>(read * p.heads * p.dim / decode_grain, 1, parts);
  extend::parallel_for(shards, [&](std::int64_t shard) {
    extend::Pooled<T> weights(longest * p.heads);
    const auto stop = extend::shard_begin(parts, shards, shard + 1);
    for (auto i = extend::shard_begin(parts, shards, shard); i < stop;) {
      const auto s = i / p.heads, begin = i % p.heads;
      const auto end = std::min(p.heads, begin + stop - i);
      for (auto r = p.query_first[s]; r < p.query_first[s] + p.query_count[s]; ++r) {
        attend_in_heads(p, s, r, begin, end, longest, weights.data(), y);
      }
      i += end - begin;
    }
  });
}

template void attention_decode(const AttentionProblem<float>&, float*);
template void attention_decode(const AttentionProblem<double>&, double*);

}  // namespace maskgrad::kernels
