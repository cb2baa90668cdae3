#include <maskgrad/autograd/ops/attention/additive_attention.hpp>

#include <cmath>
#include <limits>

#include <maskgrad/autograd/ops/attention/additive_attention_call.hpp>
#include <maskgrad/autograd/ops/attention/attention_by_pairs.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/linear/matmul.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/autograd/ops/shape/permute.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>
#include <maskgrad/core/kernels/attention_tile.hpp>
#include <maskgrad/core/kernels/selected.hpp>
#include <maskgrad/core/kernels/simd/arrays.hpp>
#include <maskgrad/core/kernels/simd/lines.hpp>
#include <maskgrad/core/threads.hpp>

namespace maskgrad {
namespace {

using attention_detail::Call;
using attention_detail::into;
using kernels::AttentionNoise;
using kernels::AttentionProblem;

constexpr std::string_view additive_attention_op = "additive_attention";
/// Least values of tanh for which a thread of its own pays.
constexpr std::int64_t additive_grain = 1 << 14;

void check_keys_and_values(const Tensor& k, const Tensor& v) {
  check::same_dtype(additive_attention_op, k, v);
  check::rank(additive_attention_op, v, 3, "[batch, key, features]");
  check::whole_steps(additive_attention_op, v, "features");
  if (fits(k.shape().sub(0, 2), v.shape().sub(0, 2))) return;
  fail<ShapeError>(additive_attention_op, "keys {} with values {}; expected the same batch and key",
                   k.describe(), v.describe());
}

template <class T>
struct Problem {
  AttentionProblem<T> p;  ///< one head, scale unused
  const T* w;
};

/// The keys that one query sees, with what is made of them.
template <class T>
class Line {
 public:
  Line(const Problem<T>& problem, std::int64_t longest)
      : p_(problem.p),
        w_(problem.w),
        tanh_(longest * p_.dim),
        weights_(longest),
        factor_(longest) {}

  /// Moves to row `r` of sequence `b`: makes tanh(q + k) and the scores.
  void move(std::int64_t b, std::int64_t r) {
    sequence_ = b;
    from = p_.from ? p_.from[r] : 0;
    to = std::max(from, p_.to ? p_.to[r] : p_.key_count[b]);
    const T* q = p_.q + r * p_.dim;
    for (auto j = from; j < to; ++j) {
      const T* k = p_.k + (p_.key_first[b] + j) * p_.dim;
      for (std::int64_t d = 0; d < p_.dim; ++d) tanh_[(j - from) * p_.dim + d] = q[d] + k[d];
    }
    kernels::simd::tanh(tanh_.data(), tanh_.data(), (to - from) * p_.dim);
    for (auto j = from; j < to; ++j) {
      const T* t = bent(j);
      T score = 0;
      for (std::int64_t d = 0; d < p_.dim; ++d) score += w_[d] * t[d];
      weights_[j - from] = score;
    }
    if (p_.noise.rate == 0) return;
    const kernels::attention_detail::Tile<T> tile{p_, b, 0, r, 1, p_.key_first[b], p_.key_count[b]};
    tile.noise(0, factor_.data());
  }
  /// Makes the scores weights; gives the log of their sum, infinity where there are none.
  T softmax() {
    const auto n = to - from;
    if (n == 0) return std::numeric_limits<T>::infinity();
    const T top = lines_.greatest(weights_.data(), n);
    lines_.exp_scaled(weights_.data(), top, T(1), false, weights_.data(), n);
    const T sum = static_cast<T>(lines_.sum(weights_.data(), n));
    for (std::int64_t j = 0; j < n; ++j) weights_[j] /= sum;
    return top + std::log(sum);
  }
  void softmax(T log_sum) {
    lines_.exp_scaled(weights_.data(), log_sum, T(1), false, weights_.data(), to - from);
  }

  const T* bent(std::int64_t j) const { return tanh_.data() + (j - from) * p_.dim; }
  T weight(std::int64_t j) const { return weights_[j - from]; }
  /// Of dropout: 0, or 1 / (1 - rate).
  T factor(std::int64_t j) const { return p_.noise.rate == 0 ? T(1) : factor_[j]; }
  std::int64_t key_row(std::int64_t j) const { return p_.key_first[sequence_] + j; }

  std::int64_t from = 0, to = 0;  ///< by rank

 private:
  const AttentionProblem<T>& p_;
  const T* w_;
  const kernels::simd::Lines<T>& lines_ = kernels::simd::lines<T>();
  Pooled<T> tanh_, weights_, factor_;
  std::int64_t sequence_ = 0;
};

template <class T>
std::int64_t longest(const AttentionProblem<T>& p) {
  std::int64_t n = 0;
  for (std::int64_t b = 0; b < p.batch; ++b) n = std::max(n, p.key_count[b]);
  return n;
}

/// Calls f(shard's line, sequence) over fixed parts of the batch.
template <class T, class F>
void each_sequence(const Problem<T>& problem, F&& f) {
  const auto& p = problem.p;
  std::int64_t pairs = 0;
  for (std::int64_t b = 0; b < p.batch; ++b) pairs += p.query_count[b] * p.key_count[b];
  const auto shards = std::min(p.batch, shard_count(pairs * p.dim, additive_grain));
  parallel_for(shards, [&](std::int64_t s) {
    Line<T> line(problem, longest(p));
    const auto end = shard_begin(p.batch, shards, s + 1);
    for (auto b = shard_begin(p.batch, shards, s); b < end; ++b) f(line, b);
  });
}

template <class T>
void forward(const Problem<T>& problem, T* y, T* log_sum) {
  const auto& p = problem.p;
  each_sequence(problem, [&](Line<T>& line, std::int64_t b) {
    for (auto r = p.query_first[b]; r < p.query_first[b] + p.query_count[b]; ++r) {
      line.move(b, r);
      log_sum[r] = line.softmax();
      T* out = y + r * p.dim_v;
      std::fill_n(out, p.dim_v, T(0));
      for (auto j = line.from; j < line.to; ++j) {
        const T a = line.weight(j) * line.factor(j);
        if (a == 0) continue;
        const T* v = p.v + line.key_row(j) * p.dim_v;
        for (std::int64_t c = 0; c < p.dim_v; ++c) out[c] += a * v[c];
      }
    }
  });
}

/// What goes in and out of backward; null where not wanted. `dw` [batch, dim], a part of each
/// sequence.
template <class T>
struct Gradients {
  const T *y, *log_sum, *dy;
  T *dq, *dk, *dv, *dw;
};

template <class T>
T dot(const T* a, const T* b, std::int64_t n) {
  T sum = 0;
  for (std::int64_t i = 0; i < n; ++i) sum += kernels::selected(a[i], b[i]);
  return sum;
}

/// The pair of the line's query, row `r`, and key `j`.
template <class T>
void backward_pair(const Problem<T>& problem, const Gradients<T>& g, const Line<T>& line,
                   std::int64_t b, std::int64_t r, std::int64_t j, T along) {
  const auto& p = problem.p;
  const auto key = line.key_row(j);
  const T a = line.weight(j), kept = line.factor(j);
  const T* dy = g.dy + r * p.dim_v;
  if (a == 0) return;
  const T passed = kernels::selected(kept, dot(dy, p.v + key * p.dim_v, p.dim_v));
  const T ds = kernels::selected(a, passed - along);
  for (std::int64_t c = 0; g.dv && c < p.dim_v; ++c) {
    g.dv[key * p.dim_v + c] += kernels::selected(kernels::selected(a, kept), dy[c]);
  }
  if (ds == 0) return;
  const T* t = line.bent(j);
  for (std::int64_t d = 0; g.dw && d < p.dim; ++d) g.dw[b * p.dim + d] += ds * t[d];
  for (std::int64_t d = 0; g.dq && d < p.dim; ++d) {
    g.dq[r * p.dim + d] += ds * problem.w[d] * (1 - t[d] * t[d]);
  }
  for (std::int64_t d = 0; g.dk && d < p.dim; ++d) {
    g.dk[key * p.dim + d] += ds * problem.w[d] * (1 - t[d] * t[d]);
  }
}

template <class T>
void backward(const Problem<T>& problem, const Gradients<T>& g) {
  const auto& p = problem.p;
  each_sequence(problem, [&](Line<T>& line, std::int64_t b) {
    for (auto r = p.query_first[b]; r < p.query_first[b] + p.query_count[b]; ++r) {
      if (kernels::all_zero(g.dy + r * p.dim_v, p.dim_v)) continue;
      line.move(b, r);
      line.softmax(g.log_sum[r]);
      const T along = dot(g.y + r * p.dim_v, g.dy + r * p.dim_v, p.dim_v);
      for (auto j = line.from; j < line.to; ++j) backward_pair(problem, g, line, b, r, j, along);
    }
  });
}

/// What backward needs again.
struct AdditiveRecorded {
  Call call;
  attention_detail::CallNoise noise;

  template <class T>
  Problem<T> problem(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& w) const {
    auto p = call.problem<T>(expand_dims(q, 2), expand_dims(k, 2), {});
    p.dim_v = v.shape()[2];
    p.v = rows::of<T>(v).data();
    p.noise = noise.get();
    return {p, rows::of<T>(w).data()};
  }
  /// The result made again of other operations.
  Tensor by_pairs(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& w) const {
    using namespace attention_detail;
    const Tensor q4 = expand_dims(q, 2), k4 = expand_dims(k, 2);
    const Tensor sums = permute(by_heads(q4), {0, 2, 1, 3}) + by_heads(k4);
    const Tensor scores = expand_dims(squeeze(matmul(tanh(sums), expand_dims(w, 1)), 3), 1);
    const Tensor y = squeeze(mean_of_pairs(additive_attention_op, call, noise, q4, k4, scores,
                                           by_heads(expand_dims(v, 2))),
                             1);
    return q.has_mask() ? with_mask(y, q.mask()) : y;
  }
};

template <class T>
void run_backward(const Problem<T>& p, const Tensor& y, const Tensor& log_sum, const Tensor& dy,
                  Grads& grads) {
  const auto dim = p.p.dim;
  const Tensor parts = rows::make_zeros({p.p.batch, dim}, dy.dtype());
  T* dw = rows::of_mutable<T>(parts).data();
  backward<T>(
      p, {rows::of<T>(y).data(), rows::of<T>(log_sum).data(), rows::of<T>(dy).data(),
          into<T>(grads, 0), into<T>(grads, 1), into<T>(grads, 2), grads.wants(3) ? dw : nullptr});
  T* all = into<T>(grads, 3);
  for (std::int64_t i = 0; all && i < p.p.batch * dim; ++i) all[i % dim] += dw[i];
}

Tensor attend(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& w,
              const AdditiveAttentionOptions& options) {
  const AdditiveRecorded recorded{additive_detail::call(additive_attention_op, q, k, options),
                                  {options.dropout, options.seed, q.shape()[0]}};
  const Tensor y = rows::make(q.shape().sub(0, 2) + Shape{v.shape()[2]}, q.dtype(), q.mask());
  const Tensor log_sum = rows::make({recorded.call.queries.rows}, q.dtype());
  dispatch_real(additive_attention_op, q.dtype(), [&]<class T>() {
    forward(recorded.problem<T>(q, k, v, w), rows::of_mutable<T>(y).data(),
            rows::of_mutable<T>(log_sum).data());
  });
  return record(additive_attention_op, y, {q, k, v, w},
                [recorded, y, log_sum, q = Saved(q), k = Saved(k), v = Saved(v), w = Saved(w)](
                    const Tensor& dy, auto& grads) {
                  if constexpr (is_adjoint<decltype(grads)>) {
                    grads.through(recorded.by_pairs(grads.input(0, q), grads.input(1, k),
                                                    grads.input(2, v), grads.input(3, w)));
                  } else {
                    dispatch_real(additive_attention_op, dy.dtype(), [&]<class T>() {
                      const auto p =
                          recorded.template problem<T>(q.get(), k.get(), v.get(), w.get());
                      run_backward<T>(p, y, log_sum, dy, grads);
                    });
                  }
                });
}

}  // namespace

Tensor additive_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& w,
                          const AdditiveAttentionOptions& options) {
  additive_detail::check_call(additive_attention_op, q, k, w, options);
  check_keys_and_values(k, v);
  if (q.is_meta() || k.is_meta() || v.is_meta() || w.is_meta()) {
    return rows::make_meta(q.shape().sub(0, 2) + Shape{v.shape()[2]}, q.dtype(), q.mask());
  }
  const Tensor keys = v.has_mask() ? with_mask(k, v.mask()) : k;
  return attend(q, keys, keys.has_mask() ? with_mask(v, keys.mask()) : v, w, options);
}

}  // namespace maskgrad
