#include <maskgrad/core/kernels/attention.hpp>

#include <cmath>
#include <limits>

#include <maskgrad/core/kernels/attention_tile.hpp>
#include <maskgrad/core/kernels/blas.hpp>
#include <maskgrad/core/kernels/simd/lines.hpp>
#include <maskgrad/core/pooled.hpp>
#include <maskgrad/core/threads.hpp>

namespace maskgrad::kernels {
namespace {

using namespace attention_detail;

// A block of weights stays in a core's second cache, twice in backward.
constexpr std::int64_t query_block = 64, key_block = 256;
/// Least multiplications for which a thread of its own pays.
constexpr std::int64_t grain = 1 << 19;

/// Calls f(tile) for the blocks of queries of a sequence and head.
template <class T, class F>
void each_queries(const AttentionProblem<T>& p, std::int64_t sequence, std::int64_t head, F&& f) {
  const auto first = p.query_first[sequence], end = first + p.query_count[sequence];
  for (auto at = first; at < end; at += query_block) {
    f(Tile<T>{p, sequence, head, at, std::min(query_block, end - at)});
  }
}

/// Calls f() for the blocks of keys that its queries see, with the tile at each.
template <class T, class F>
void each_keys(Tile<T>& tile, F&& f) {
  const auto first = tile.p.key_first[tile.sequence];
  const auto end = first + tile.end_rank();
  for (tile.key = first + tile.first_rank(); tile.key < end; tile.key += key_block) {
    tile.keys = std::min(key_block, end - tile.key);
    f();
  }
}

/// Work in multiplications, by which threads share it.
template <class T>
std::int64_t work(const AttentionProblem<T>& p) {
  std::int64_t pairs = 0;
  for (std::int64_t b = 0; b < p.batch; ++b) pairs += p.query_count[b] * p.key_count[b];
  return pairs * p.heads * (p.dim + p.dim_v);
}

/// The softmax of a block of queries over blocks of keys that come one after the other.
template <class T>
class Softmax {
 public:
  Softmax()
      : weights_(query_block * key_block),
        factor_(key_block),
        top_(query_block),
        sum_(query_block) {}

  void run(Tile<T> tile, T* y, T* log_sum) {
    const auto out = tile.queries_of(y, tile.p.dim_v);
    std::fill_n(top_.data(), tile.queries, -std::numeric_limits<T>::infinity());
    std::fill_n(sum_.data(), tile.queries, T(0));
    bool later = false;
    each_keys(tile, [&] {
      tile.scores(weights_.data());
      for (std::int64_t i = 0; i < tile.queries; ++i) {
        take(tile, i, later ? out.data + i * out.stride : nullptr);
      }
      product(CblasNoTrans, CblasNoTrans, static_cast<blasint>(tile.queries),
              static_cast<blasint>(tile.p.dim_v), static_cast<blasint>(tile.keys), T(1),
              Block<const T>{weights_.data(), tile.keys}, tile.keys_of(tile.p.v, tile.p.dim_v),
              later, out);
      later = true;
    });
    const auto logs = tile.queries_of(log_sum, 1);
    for (std::int64_t i = 0; i < tile.queries; ++i) {
      logs.data[i * logs.stride] = finish(i, out.data + i * out.stride, tile.p.dim_v);
    }
  }

 private:
  /// Makes query i's scores weights, relative to the greatest so far; `y` is what it has so far.
  void take(const Tile<T>& tile, std::int64_t i, T* y) {
    T* row = weights_.data() + i * tile.keys;
    auto first = tile.first(i), end = tile.end(i);
    const T before = top_[i], here = lines_.greatest(row + first, end - first);
    const T top = here > before || here != here ? here : before;
    if (top == -std::numeric_limits<T>::infinity()) end = first;
    std::fill(row, row + first, T(0));
    std::fill(row + end, row + tile.keys, T(0));
    if (end <= first) return;
    lines_.exp_scaled(row + first, top, T(1), false, row + first, end - first);
    const T shrink = std::exp(before - top);
    top_[i] = top;
    sum_[i] = sum_[i] * shrink + static_cast<T>(lines_.sum(row + first, end - first));
    if (y && top != before) {
      for (std::int64_t j = 0; j < tile.p.dim_v; ++j) y[j] *= shrink;
    }
    if (tile.p.noise.rate == 0) return;
    tile.noise(i, factor_.data());
    for (auto j = first; j < end; ++j) row[j] *= factor_[j];
  }

  /// Divides by the sum. A query that saw no key gets zeros, and a log by which its weights are 0.
  T finish(std::int64_t i, T* y, std::int64_t width) {
    if (sum_[i] == 0) {
      std::fill_n(y, width, T(0));
      return std::numeric_limits<T>::infinity();
    }
    const T part = 1 / sum_[i];
    for (std::int64_t j = 0; j < width; ++j) y[j] *= part;
    return top_[i] + std::log(sum_[i]);
  }

  const simd::Lines<T>& lines_ = simd::lines<T>();
  Pooled<T> weights_, factor_, top_, sum_;
};

/// The gradients of a block of queries, its weights made again block by block.
template <class T>
class Backward {
 public:
  explicit Backward(const AttentionBackward<T>& g)
      : g_(g),
        weights_(query_block * key_block),
        dweights_(query_block * key_block),
        factor_(key_block),
        along_(query_block) {}

  void run(Tile<T> tile) {
    const auto width = tile.p.dim_v;
    const auto y = tile.queries_of(g_.y, width), dy = tile.queries_of(g_.dy, width);
    for (std::int64_t i = 0; i < tile.queries; ++i) {
      T dot = 0;
      for (std::int64_t j = 0; j < width; ++j)
        dot += y.data[i * y.stride + j] * dy.data[i * dy.stride + j];
      along_[i] = dot;
    }
    each_keys(tile, [&] {
      tile.scores(weights_.data());
      product(CblasNoTrans, CblasTrans, static_cast<blasint>(tile.queries),
              static_cast<blasint>(tile.keys), static_cast<blasint>(width), T(1), dy,
              tile.keys_of(tile.p.v, width), false, {dweights_.data(), tile.keys});
      for (std::int64_t i = 0; i < tile.queries; ++i) weigh(tile, i);
      add(tile, dy);
    });
  }

 private:
  /// Query i's scores become weights (with noise), and its dweights the scores' gradients.
  void weigh(const Tile<T>& tile, std::int64_t i) {
    T *row = weights_.data() + i * tile.keys, *d = dweights_.data() + i * tile.keys;
    const auto first = tile.first(i), end = std::max(first, tile.end(i));
    for (T* line : {row, d}) {
      std::fill(line, line + first, T(0));
      std::fill(line + end, line + tile.keys, T(0));
    }
    const T log_sum = tile.queries_of(g_.log_sum, 1).data[i * tile.p.heads];
    lines_.exp_scaled(row + first, log_sum, T(1), false, row + first, end - first);
    const T along = along_[i];
    if (tile.p.noise.rate == 0) {
      for (auto j = first; j < end; ++j) d[j] = row[j] * (d[j] - along);
      return;
    }
    tile.noise(i, factor_.data());
    for (auto j = first; j < end; ++j) {
      d[j] = row[j] * (d[j] * factor_[j] - along);
      row[j] *= factor_[j];
    }
  }

  void add(const Tile<T>& tile, Block<const T> dy) {
    const auto& p = tile.p;
    const auto m = static_cast<blasint>(tile.queries), n = static_cast<blasint>(tile.keys);
    const auto dim = static_cast<blasint>(p.dim), width = static_cast<blasint>(p.dim_v);
    const Block<const T> weights{weights_.data(), tile.keys}, d{dweights_.data(), tile.keys};
    if (g_.dv) {
      product(CblasTrans, CblasNoTrans, n, width, m, T(1), weights, dy, true,
              tile.keys_of(g_.dv, p.dim_v));
    }
    if (g_.dk) {
      product(CblasTrans, CblasNoTrans, n, dim, m, p.scale, d, tile.queries_of(p.q, p.dim), true,
              tile.keys_of(g_.dk, p.dim));
    }
    if (g_.dq) {
      product(CblasNoTrans, CblasNoTrans, m, dim, n, p.scale, d, tile.keys_of(p.k, p.dim), true,
              tile.queries_of(g_.dq, p.dim));
    }
    if (g_.dbias) {
      tile.each_bias([&](std::int64_t at, std::int64_t i) { g_.dbias[at] += dweights_[i]; });
    }
  }

  const AttentionBackward<T>& g_;
  const simd::Lines<T>& lines_ = simd::lines<T>();
  Pooled<T> weights_, dweights_, factor_, along_;
};

}  // namespace

template <class T>
void attention_forward(const AttentionProblem<T>& p, T* y, T* log_sum) {
  const auto units = p.batch * p.heads;
  const auto shards = std::min(units, shard_count(work(p), grain));
  parallel_for(shards, [&](std::int64_t s) {
    Softmax<T> softmax;
    const BlasCall call;
    for (auto u = shard_begin(units, shards, s); u < shard_begin(units, shards, s + 1); ++u) {
      each_queries(p, u / p.heads, u % p.heads,
                   [&](const Tile<T>& tile) { softmax.run(tile, y, log_sum); });
    }
  });
}

template <class T>
void attention_backward(const AttentionProblem<T>& p, const AttentionBackward<T>& g) {
  // A unit is a sequence and a key head, whose gradients no other unit adds to. What is added to a
  // bias that several of them share comes from one shard, in order.
  const bool one_batch = g.dbias && p.bias.batch == 0, one_head = g.dbias && p.bias.head == 0;
  const auto batches = one_batch ? 1 : p.batch, kv_heads = one_head ? 1 : p.kv_heads;
  const auto units = p.batch == 0 ? 0 : batches * kv_heads;
  const auto shards = std::min(units, shard_count(2 * work(p), grain));
  const auto heads = p.heads / kv_heads;
  parallel_for(shards, [&](std::int64_t s) {
    Backward<T> backward(g);
    const BlasCall call;
    for (auto u = shard_begin(units, shards, s); u < shard_begin(units, shards, s + 1); ++u) {
      const auto sequence = u / kv_heads, last = one_batch ? p.batch : sequence + 1;
      for (auto b = sequence; b < last; ++b) {
        for (auto h = u % kv_heads * heads; h < (u % kv_heads + 1) * heads; ++h) {
          each_queries(p, b, h, [&](const Tile<T>& tile) { backward.run(tile); });
        }
      }
    }
  });
}

template void attention_forward<float>(const AttentionProblem<float>&, float*, float*);
template void attention_forward<double>(const AttentionProblem<double>&, double*, double*);
template void attention_backward<float>(const AttentionProblem<float>&,
                                        const AttentionBackward<float>&);
template void attention_backward<double>(const AttentionProblem<double>&,
                                         const AttentionBackward<double>&);

}  // namespace maskgrad::kernels
