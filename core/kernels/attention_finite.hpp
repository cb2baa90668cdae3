#pragma once

#include <algorithm>

#include <maskgrad/core/kernels/attention_tile.hpp>
#include <maskgrad/core/kernels/selected.hpp>

/// How attention reads nothing of what has a weight or a gradient of 0: its products are those of
/// finite parts, to which what these lack is added by itself. Where all is finite, as it mostly is,
/// a look at each value is all that this takes.
namespace maskgrad::kernels::attention_detail {

/// What of an input is read where a weight or a gradient of 0 selects: itself, or, where it holds
/// what is not finite, its finite part, to which the rest is added by itself.
template <class T>
class Part {
 public:
  Part(const T* x, std::int64_t n) : x_(x), n_(n), odd_(!all_finite_of(x, n)) {}

  bool odd() const { return odd_; }
  const T* finite() {
    if (!odd_) return x_;
    if (part_.empty()) part_ = finite_part(x_, n_);
    return part_.data();
  }

 private:
  const T* x_;
  std::int64_t n_;
  bool odd_;
  extend::Pooled<T> part_;
};

template <class T>
Entries<const T> entries(Block<const T> x, bool transposed = false) {
  return transposed ? Entries<const T>{x.data, 1, x.stride} : Entries<const T>{x.data, x.stride, 1};
}
template <class T>
Entries<T> entries(Block<T> x) {
  return {x.data, x.stride, 1};
}

/// Rows of queries, and of keys, in all sequences: behind the last one that any of them has.
inline std::int64_t rows_of(std::int64_t batch, const std::int64_t* first,
                            const std::int64_t* count) {
  std::int64_t rows = 0;
  for (std::int64_t b = 0; b < batch; ++b) rows = std::max(rows, first[b] + count[b]);
  return rows;
}
template <class T>
std::int64_t query_rows(const AttentionProblem<T>& p) {
  return rows_of(p.batch, p.query_first, p.query_count) * p.heads;
}
template <class T>
std::int64_t key_rows(const AttentionProblem<T>& p) {
  return rows_of(p.batch, p.key_first, p.key_count) * p.kv_heads;
}

/// Finite parts of what backward reads, and whether anything is not finite.
template <class T>
struct FiniteParts {
  FiniteParts(const AttentionProblem<T>& p, const AttentionBackward<T>& g)
      : q(p.q, query_rows(p) * p.dim),
        k(p.k, key_rows(p) * p.dim),
        v(p.v, key_rows(p) * p.dim_v),
        dy(g.dy, query_rows(p) * p.dim_v) {
    const auto n = query_rows(p);
    bool nan = false;
    for (std::int64_t i = 0; i < n; ++i) nan |= g.log_sum[i] != g.log_sum[i];
    odd = nan || q.odd() || k.odd() || v.odd() || dy.odd();
    for (auto* part : {&q, &k, &v, &dy}) part->finite();
  }
  Part<T> q, k, v, dy;
  bool odd;
};

}  // namespace maskgrad::kernels::attention_detail
