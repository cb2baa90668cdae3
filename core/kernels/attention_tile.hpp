#pragma once

#include <cblas.h>

#include <algorithm>
#include <limits>

#include <maskgrad/core/kernels/attention.hpp>

namespace maskgrad::kernels::attention_detail {

/// A matrix inside rows: `stride` values from row to row.
template <class T>
struct Block {
  T* data;
  std::int64_t stride;
};

inline void product(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, blasint m, blasint n, blasint k,
                    float scale, Block<const float> a, Block<const float> b, bool add,
                    Block<float> c) {
  cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, scale, a.data, static_cast<blasint>(a.stride), b.data,
              static_cast<blasint>(b.stride), add ? 1 : 0, c.data, static_cast<blasint>(c.stride));
}
inline void product(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, blasint m, blasint n, blasint k,
                    double scale, Block<const double> a, Block<const double> b, bool add,
                    Block<double> c) {
  cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, scale, a.data, static_cast<blasint>(a.stride), b.data,
              static_cast<blasint>(b.stride), add ? 1 : 0, c.data, static_cast<blasint>(c.stride));
}

/// A block of queries by a block of keys of one sequence and head.
template <class T>
struct Tile {
  const AttentionProblem<T>& p;
  std::int64_t sequence, head;
  std::int64_t query, queries;  ///< first row, and how many
  std::int64_t key = 0, keys = 0;

  std::int64_t kv_head() const { return head / (p.heads / p.kv_heads); }

  template <class U>
  Block<U> queries_of(U* rows, std::int64_t width) const {
    return {rows + (query * p.heads + head) * width, p.heads * width};
  }
  template <class U>
  Block<U> keys_of(U* rows, std::int64_t width) const {
    return {rows + (key * p.kv_heads + kv_head()) * width, p.kv_heads * width};
  }
  /// The keys, by rank in the sequence, that some query of the block sees.
  std::int64_t first_rank() const { return p.from ? p.from[query] : 0; }
  std::int64_t end_rank() const { return p.to ? p.to[query + queries - 1] : p.key_count[sequence]; }
  /// Where query i's keys begin and end in the block of keys.
  std::int64_t first(std::int64_t i) const { return p.from ? within(p.from[query + i]) : 0; }
  std::int64_t end(std::int64_t i) const { return p.to ? within(p.to[query + i]) : keys; }

  /// s [queries, keys] = scale q k^T + bias.
  void scores(T* s) const {
    product(CblasNoTrans, CblasTrans, static_cast<blasint>(queries), static_cast<blasint>(keys),
            static_cast<blasint>(p.dim), p.scale, queries_of(p.q, p.dim), keys_of(p.k, p.dim),
            false, {s, keys});
    if (!p.bias.data) return;
    // A pair that the bias hides is not read.
    constexpr T hidden = -std::numeric_limits<T>::infinity();
    each_bias([&](std::int64_t at, std::int64_t i) {
      s[i] = p.bias.data[at] == hidden ? hidden : s[i] + p.bias.data[at];
    });
  }
  /// Calls f(place in the bias, place in the tile) for the pairs that are seen.
  template <class F>
  void each_bias(F&& f) const {
    const auto& bias = p.bias;
    for (std::int64_t i = 0; i < queries; ++i) {
      const auto line =
          sequence * bias.batch + head * bias.head + bias.query_step[query + i] * bias.query;
      for (auto j = first(i); j < end(i); ++j) {
        f(line + bias.key_step[key + j] * bias.key, i * keys + j);
      }
    }
  }
  /// What query i's weights are multiplied by: 0, or 1 / (1 - rate).
  void noise(std::int64_t i, T* factor) const {
    const auto keep = static_cast<T>(1 / (1 - p.noise.rate));
    const auto limit = static_cast<std::uint32_t>(p.noise.rate * 0x1p32);
    const auto& source = p.noise.sources[sequence];
    const auto index = source.sequence;
    // Where positions count, queries are the last ones of the sequence.
    const auto before = p.to ? p.key_count[sequence] - p.query_count[sequence] : 0;
    const auto rank = static_cast<std::uint32_t>(query + i - p.query_first[sequence] + before);
    const Seed seed = source.key.of(static_cast<std::uint64_t>(head));
    const auto start = key - p.key_first[sequence];
    for (auto j = first(i) + start; j < end(i) + start;) {
      const auto words = random::philox(
          {static_cast<std::uint32_t>(j / 4), rank, static_cast<std::uint32_t>(index),
           static_cast<std::uint32_t>(index >> 32)},
          seed);
      const auto stop = std::min((j / 4 + 1) * 4, end(i) + start);
      for (; j < stop; ++j) {
        factor[j - start] = words[static_cast<std::size_t>(j % 4)] < limit ? T(0) : keep;
      }
    }
  }

 private:
  std::int64_t within(std::int64_t rank) const {
    return std::clamp<std::int64_t>(rank - (key - p.key_first[sequence]), 0, keys);
  }
};

}  // namespace maskgrad::kernels::attention_detail
