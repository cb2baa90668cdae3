#include <maskgrad/core/kernels/attention_second.hpp>

#include <maskgrad/core/kernels/attention_blocks.hpp>
#include <maskgrad/core/kernels/attention_finite.hpp>
#include <maskgrad/core/kernels/simd/lines.hpp>
#include <maskgrad/core/pooled.hpp>

// With S the scores, P their softmax, W = P N of the noise N, and A = N (dy v^T), backward gives
//   dS = P (A - along), along = dy . y;  dv = W^T dy, dq = scale dS k, dk = scale dS^T q.
// What changes along the direction, with a dash:
//   S' = scale (q' k^T + q k'^T) + bias',  P' = P (S' - mean), mean the sum of P S' over keys
//   y' = (P N S') v + W v' - mean y,  along' = dy . y'
//   dS' = P' (A - along) + P (N (dy v'^T) - along'), and so on by products.

namespace maskgrad::kernels {
namespace {

using namespace attention_detail;

/// The change of a block of queries: over its keys once for y', and once more for the gradients.
template <class T>
class Second {
 public:
  Second(const AttentionProblem<T>& p, const AttentionBackward<T>& g,
         const AttentionDirection<T>& u, const AttentionChange<T>& change)
      : p_(p), g_(g), u_(u), change_(change) {
    for (auto* block : {&weights_, &moved_, &first_, &second_}) {
      *block = extend::Pooled<T>(query_block * key_block);
    }
    for (auto* line : {&mean_, &along_, &along_moved_}) *line = extend::Pooled<T>(query_block);
    factor_ = extend::Pooled<T>(key_block);
    y_ = extend::Pooled<T>(query_block * p.dim_v);
  }

  void run(Tile<T> tile) {
    means(tile);
    const bool gradients = change_.dq || change_.dk || change_.dv || change_.dbias;
    if (!gradients) return;
    const bool one = tile.end_rank() - tile.first_rank() <= key_block;  // it is still there
    each_keys(tile, [&] {
      if (!one) weigh(tile);
      gradients_of(tile);
    });
  }

 private:
  Block<const T> block(const extend::Pooled<T>& x, const Tile<T>& tile) const {
    return {x.data(), tile.keys};
  }
  /// c [queries, keys] = scale a b^T + (add ? c : 0).
  void pairs(const Tile<T>& tile, std::int64_t width, T scale, Block<const T> a, Block<const T> b,
             bool add, extend::Pooled<T>& c) const {
    product(CblasNoTrans, CblasTrans, static_cast<blasint>(tile.queries),
            static_cast<blasint>(tile.keys), static_cast<blasint>(width), scale, a, b, add,
            {c.data(), tile.keys});
  }
  /// c [queries, width] += scale a b, of a block a and rows b of keys.
  void to_queries(const Tile<T>& tile, std::int64_t width, T scale, const extend::Pooled<T>& a,
                  Block<const T> b, Block<T> c) const {
    product(CblasNoTrans, CblasNoTrans, static_cast<blasint>(tile.queries),
            static_cast<blasint>(width), static_cast<blasint>(tile.keys), scale, block(a, tile), b,
            true, c);
  }
  /// c [keys, width] += scale a^T b, of a block a and rows b of queries.
  void to_keys(const Tile<T>& tile, std::int64_t width, T scale, const extend::Pooled<T>& a,
               Block<const T> b, Block<T> c) const {
    product(CblasTrans, CblasNoTrans, static_cast<blasint>(tile.keys), static_cast<blasint>(width),
            static_cast<blasint>(tile.queries), scale, block(a, tile), b, true, c);
  }

  /// f(query, places of the first pair that it sees and of that behind the last).
  template <class F>
  static void each_line(const Tile<T>& tile, F&& f) {
    for (std::int64_t i = 0; i < tile.queries; ++i) {
      const auto first = tile.first(i), end = std::max(first, tile.end(i));
      f(i, i * tile.keys + first, i * tile.keys + end);
    }
  }
  /// Zeros for the pairs that no query sees.
  static void hide(const Tile<T>& tile, T* x) {
    each_line(tile, [&](std::int64_t i, std::int64_t first, std::int64_t end) {
      std::fill(x + i * tile.keys, x + first, T(0));
      std::fill(x + end, x + (i + 1) * tile.keys, T(0));
    });
  }
  /// Multiplies by the noise.
  void drop(const Tile<T>& tile, std::initializer_list<T*> blocks) {
    if (p_.noise.rate == 0) return;
    each_line(tile, [&](std::int64_t i, std::int64_t first, std::int64_t end) {
      if (first == end) return;
      tile.noise(i, factor_.data());
      for (T* x : blocks) {
        for (auto at = first; at < end; ++at) x[at] *= factor_[at - i * tile.keys];
      }
    });
  }

  /// The weights without noise, and how the scores change.
  void weigh(const Tile<T>& tile) {
    tile.scores(weights_.data());
    const auto logs = tile.queries_of(g_.log_sum, 1);
    each_line(tile, [&](std::int64_t i, std::int64_t first, std::int64_t end) {
      T* row = weights_.data() + first;
      lines_.exp_scaled(row, logs.data[i * logs.stride], T(1), false, row, end - first);
    });
    bool some = false;
    if (u_.q) {
      pairs(tile, p_.dim, p_.scale, tile.queries_of(u_.q, p_.dim), tile.keys_of(p_.k, p_.dim),
            false, moved_);
      some = true;
    }
    if (u_.k) {
      pairs(tile, p_.dim, p_.scale, tile.queries_of(p_.q, p_.dim), tile.keys_of(u_.k, p_.dim), some,
            moved_);
      some = true;
    }
    if (!some) std::fill_n(moved_.data(), tile.queries * tile.keys, T(0));
    if (u_.bias) {
      tile.each_bias([&](std::int64_t at, std::int64_t i) { moved_[i] += u_.bias[at]; });
    }
    hide(tile, weights_.data());
    hide(tile, moved_.data());
  }

  /// y', and what the scores' changes are on the mean.
  void means(Tile<T>& tile) {
    const auto width = p_.dim_v;
    const Block<T> moved{y_.data(), width};
    std::fill_n(mean_.data(), tile.queries, T(0));
    std::fill_n(y_.data(), tile.queries * width, T(0));
    each_keys(tile, [&] {
      weigh(tile);
      const auto n = tile.queries * tile.keys;
      for (std::int64_t at = 0; at < n; ++at) first_[at] = weights_[at] * moved_[at];
      each_line(tile, [&](std::int64_t i, std::int64_t first, std::int64_t end) {
        mean_[i] += static_cast<T>(lines_.sum(first_.data() + first, end - first));
      });
      std::copy_n(weights_.data(), n, second_.data());
      drop(tile, {first_.data(), second_.data()});
      to_queries(tile, width, T(1), first_, tile.keys_of(p_.v, width), moved);
      if (u_.v) to_queries(tile, width, T(1), second_, tile.keys_of(u_.v, width), moved);
    });
    const auto y = tile.queries_of(g_.y, width), dy = tile.queries_of(g_.dy, width);
    for (std::int64_t i = 0; i < tile.queries; ++i) {
      T *line = y_.data() + i * width, along = 0, along_moved = 0;
      for (std::int64_t j = 0; j < width; ++j) {
        line[j] -= mean_[i] * y.data[i * y.stride + j];
        along += dy.data[i * dy.stride + j] * y.data[i * y.stride + j];
        along_moved += dy.data[i * dy.stride + j] * line[j];
      }
      along_[i] = along;
      along_moved_[i] = along_moved;
      if (!change_.y) continue;
      const auto to = tile.queries_of(change_.y, width);
      std::copy_n(line, width, to.data + i * to.stride);
    }
  }

  /// From the weights and how the scores change: what is added to all gradients' changes.
  void gradients_of(const Tile<T>& tile) {
    const auto dim = p_.dim, width = p_.dim_v;
    const auto dy = tile.queries_of(g_.dy, width);
    pairs(tile, width, T(1), dy, tile.keys_of(p_.v, width), false, first_);
    if (u_.v) {
      pairs(tile, width, T(1), dy, tile.keys_of(u_.v, width), false, second_);
    } else {
      std::fill_n(second_.data(), tile.queries * tile.keys, T(0));
    }
    hide(tile, first_.data());
    hide(tile, second_.data());
    drop(tile, {first_.data(), second_.data()});
    each_line(tile, [&](std::int64_t i, std::int64_t first, std::int64_t end) {
      for (auto at = first; at < end; ++at) {
        const T weight = weights_[at], weight_moved = weight * (moved_[at] - mean_[i]);
        const T up = first_[at] - along_[i];
        first_[at] = weight * up;
        second_[at] = weight_moved * up + weight * (second_[at] - along_moved_[i]);
        moved_[at] = weight_moved;
      }
    });
    if (change_.dv) {
      drop(tile, {moved_.data()});
      to_keys(tile, width, T(1), moved_, dy, tile.keys_of(change_.dv, width));
    }
    if (change_.dk) {
      const auto to = tile.keys_of(change_.dk, dim);
      to_keys(tile, dim, p_.scale, second_, tile.queries_of(p_.q, dim), to);
      if (u_.q) to_keys(tile, dim, p_.scale, first_, tile.queries_of(u_.q, dim), to);
    }
    if (change_.dq) {
      const auto to = tile.queries_of(change_.dq, dim);
      to_queries(tile, dim, p_.scale, second_, tile.keys_of(p_.k, dim), to);
      if (u_.k) to_queries(tile, dim, p_.scale, first_, tile.keys_of(u_.k, dim), to);
    }
    if (change_.dbias) {
      tile.each_bias([&](std::int64_t at, std::int64_t i) { change_.dbias[at] += second_[i]; });
    }
  }

  const AttentionProblem<T>& p_;
  const AttentionBackward<T>& g_;
  const AttentionDirection<T>& u_;
  const AttentionChange<T>& change_;
  const simd::Lines<T>& lines_ = simd::lines<T>();
  extend::Pooled<T> weights_, moved_, first_, second_;  ///< [queries, keys] of a block
  extend::Pooled<T> mean_, along_, along_moved_;        ///< of each query
  extend::Pooled<T> factor_, y_;
};

}  // namespace

template <class T>
bool attention_second_fits(const AttentionProblem<T>& p, const AttentionBackward<T>& g,
                           const AttentionDirection<T>& u, std::int64_t bias_values) {
  const auto fits = [](const T* x, std::int64_t n) { return !x || all_finite_of(x, n); };
  const auto queries = query_rows(p), keys = key_rows(p);
  constexpr T hidden = -std::numeric_limits<T>::infinity();
  for (std::int64_t i = 0; p.bias.data && i < bias_values; ++i) {
    const T b = p.bias.data[i];
    if (b != hidden && !(b - b == 0)) return false;
  }
  return fits(p.q, queries * p.dim) && fits(u.q, queries * p.dim) && fits(p.k, keys * p.dim) &&
         fits(u.k, keys * p.dim) && fits(p.v, keys * p.dim_v) && fits(u.v, keys * p.dim_v) &&
         fits(u.bias, bias_values) && fits(g.dy, queries * p.dim_v) && fits(g.y, queries * p.dim_v);
}

template <class T>
void attention_second(const AttentionProblem<T>& p, const AttentionBackward<T>& g,
                      const AttentionDirection<T>& u, const AttentionChange<T>& change) {
  each_adding(p, change.dbias != nullptr, 4, [&] {
    return [second = Second<T>(p, g, u, change)](const Tile<T>& tile) mutable { second.run(tile); };
  });
}

template bool attention_second_fits(const AttentionProblem<float>&, const AttentionBackward<float>&,
                                    const AttentionDirection<float>&, std::int64_t);
template bool attention_second_fits(const AttentionProblem<double>&,
                                    const AttentionBackward<double>&,
                                    const AttentionDirection<double>&, std::int64_t);
template void attention_second(const AttentionProblem<float>&, const AttentionBackward<float>&,
                               const AttentionDirection<float>&, const AttentionChange<float>&);
template void attention_second(const AttentionProblem<double>&, const AttentionBackward<double>&,
                               const AttentionDirection<double>&, const AttentionChange<double>&);

}  // namespace maskgrad::kernels
