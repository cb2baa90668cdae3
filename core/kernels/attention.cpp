#include <maskgrad/core/kernels/attention.hpp>

#include <cmath>
#include <limits>

#include <maskgrad/core/kernels/attention_blocks.hpp>
#include <maskgrad/core/kernels/attention_finite.hpp>
#include <maskgrad/core/kernels/simd/lines.hpp>
#include <maskgrad/core/pooled.hpp>

namespace maskgrad::kernels {
namespace {

using namespace attention_detail;

/// The softmax of a block of queries over blocks of keys that come one after the other.
template <class T>
class Softmax {
 public:
  /// `v`: the values' finite part, null where that is all of them.
  explicit Softmax(const T* v)
      : v_(v),
        weights_(query_block * key_block),
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
      const Block<const T> weights{weights_.data(), tile.keys};
      const auto width = tile.p.dim_v;
      product(CblasNoTrans, CblasNoTrans, static_cast<blasint>(tile.queries),
              static_cast<blasint>(width), static_cast<blasint>(tile.keys), T(1), weights,
              tile.keys_of(v_ ? v_ : tile.p.v, width), later, out);
      if (v_) {
        add_odd_products(tile.queries, width, tile.keys, Selects::left, T(1), entries(weights),
                         entries(tile.keys_of(tile.p.v, width)), entries(out));
      }
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
      for (std::int64_t j = 0; j < tile.p.dim_v; ++j) y[j] = selected(y[j], shrink);
    }
    if (tile.p.noise.rate == 0) return;
    tile.noise(i, factor_.data());
    for (auto j = first; j < end; ++j) row[j] = selected(row[j], factor_[j]);
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
  const T* v_;
  extend::Pooled<T> weights_, factor_, top_, sum_;
};

/// The gradients of a block of queries, its weights made again block by block.
template <class T>
class Backward {
 public:
  Backward(const AttentionBackward<T>& g, FiniteParts<T>& finite)
      : g_(g),
        finite_(finite),
        weights_(query_block * key_block),
        dweights_(query_block * key_block),
        factor_(key_block),
        along_(query_block) {}

  void run(Tile<T> tile) {
    const auto width = tile.p.dim_v;
    const auto y = tile.queries_of(g_.y, width), dy = tile.queries_of(g_.dy, width);
    for (std::int64_t i = 0; i < tile.queries; ++i) {
      T dot = 0;
      for (std::int64_t j = 0; j < width; ++j) {
        dot += selected(y.data[i * y.stride + j], dy.data[i * dy.stride + j]);
      }
      along_[i] = dot;
    }
    each_keys(tile, [&] {
      tile.scores(weights_.data());
      product(CblasNoTrans, CblasTrans, static_cast<blasint>(tile.queries),
              static_cast<blasint>(tile.keys), static_cast<blasint>(width), T(1), dy,
              tile.keys_of(finite_.v.finite(), width), false, {dweights_.data(), tile.keys});
      if (finite_.v.odd()) {
        add_odd_products(tile.queries, tile.keys, width, Selects::left, T(1), entries(dy),
                         entries(tile.keys_of(tile.p.v, width), true),
                         {dweights_.data(), tile.keys, 1});
      }
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
    const auto dy = tile.queries_of(g_.dy, tile.p.dim_v);
    if (finite_.odd && all_zero(dy.data + i * dy.stride, tile.p.dim_v)) {
      for (T* line : {row, d}) std::fill(line + first, line + end, T(0));
      return;
    }
    const T log_sum = tile.queries_of(g_.log_sum, 1).data[i * tile.p.heads];
    lines_.exp_scaled(row + first, log_sum, T(1), false, row + first, end - first);
    const T along = along_[i];
    if (tile.p.noise.rate == 0) {
      for (auto j = first; j < end; ++j) d[j] = selected(row[j], d[j] - along);
      return;
    }
    tile.noise(i, factor_.data());
    for (auto j = first; j < end; ++j) {
      d[j] = selected(row[j], selected(d[j], factor_[j]) - along);
      row[j] = selected(row[j], factor_[j]);
    }
  }

  void add(const Tile<T>& tile, Block<const T> dy) {
    const auto& p = tile.p;
    const auto m = static_cast<blasint>(tile.queries), n = static_cast<blasint>(tile.keys);
    const auto dim = static_cast<blasint>(p.dim), width = static_cast<blasint>(p.dim_v);
    const Block<const T> weights{weights_.data(), tile.keys}, d{dweights_.data(), tile.keys};
    if (g_.dv) {
      finite_.odd ? odd_values(tile, weights, dy)
                  : product(CblasTrans, CblasNoTrans, n, width, m, T(1), weights, dy, true,
                            tile.keys_of(g_.dv, p.dim_v));
    }
    if (g_.dk) {
      const auto to = tile.keys_of(g_.dk, p.dim);
      product(CblasTrans, CblasNoTrans, n, dim, m, p.scale, d,
              tile.queries_of(finite_.q.finite(), p.dim), true, to);
      if (finite_.q.odd()) {
        add_odd_products(tile.keys, p.dim, tile.queries, Selects::left, p.scale, entries(d, true),
                         entries(tile.queries_of(p.q, p.dim)), entries(to));
      }
    }
    if (g_.dq) {
      const auto to = tile.queries_of(g_.dq, p.dim);
      product(CblasNoTrans, CblasNoTrans, m, dim, n, p.scale, d,
              tile.keys_of(finite_.k.finite(), p.dim), true, to);
      if (finite_.k.odd()) {
        add_odd_products(tile.queries, p.dim, tile.keys, Selects::left, p.scale, entries(d),
                         entries(tile.keys_of(p.k, p.dim)), entries(to));
      }
    }
    if (g_.dbias) {
      tile.each_bias([&](std::int64_t at, std::int64_t i) { g_.dbias[at] += dweights_[i]; });
    }
  }

  /// dv += weights^T dy, where each selects in the other.
  void odd_values(const Tile<T>& tile, Block<const T> weights, Block<const T> dy) {
    const auto& p = tile.p;
    const auto to = tile.keys_of(g_.dv, p.dim_v);
    const auto finite = finite_part(weights.data, tile.queries * tile.keys);
    product(CblasTrans, CblasNoTrans, static_cast<blasint>(tile.keys),
            static_cast<blasint>(p.dim_v), static_cast<blasint>(tile.queries), T(1),
            {finite.data(), tile.keys}, tile.queries_of(finite_.dy.finite(), p.dim_v), true, to);
    add_odd_products(tile.keys, p.dim_v, tile.queries, Selects::both, T(1), entries(weights, true),
                     entries(dy), entries(to));
  }

  const AttentionBackward<T>& g_;
  FiniteParts<T>& finite_;
  const simd::Lines<T>& lines_ = simd::lines<T>();
  extend::Pooled<T> weights_, dweights_, factor_, along_;
};

}  // namespace

template <class T>
void attention_forward(const AttentionProblem<T>& p, T* y, T* log_sum) {
  const auto units = p.batch * p.heads;
  const auto shards = std::min(units, extend::shard_count(work(p), attention_grain));
  Part<T> v(p.v, key_rows(p) * p.dim_v);
  const T* finite = v.odd() ? v.finite() : nullptr;
  extend::parallel_for(shards, [&](std::int64_t s) {
    Softmax<T> softmax(finite);
    const BlasCall call;
    for (auto u = extend::shard_begin(units, shards, s);
         u < extend::shard_begin(units, shards, s + 1); ++u) {
      each_queries(p, u / p.heads, u % p.heads,
                   [&](const Tile<T>& tile) { softmax.run(tile, y, log_sum); });
    }
  });
}

template <class T>
void attention_backward(const AttentionProblem<T>& p, const AttentionBackward<T>& g) {
  FiniteParts<T> finite(p, g);
  each_adding(p, g.dbias != nullptr, 2, [&] {
    return [backward = Backward<T>(g, finite)](const Tile<T>& tile) mutable { backward.run(tile); };
  });
}

template void attention_forward<float>(const AttentionProblem<float>&, float*, float*);
template void attention_forward<double>(const AttentionProblem<double>&, double*, double*);
template void attention_backward<float>(const AttentionProblem<float>&,
                                        const AttentionBackward<float>&);
template void attention_backward<double>(const AttentionProblem<double>&,
                                         const AttentionBackward<double>&);

}  // namespace maskgrad::kernels
