
#include <limits>

#include <maskgrad/autograd/ops/attention/attention.hpp>
#include <maskgrad/autograd/ops/attention/attention_by_pairs.hpp>
#include <maskgrad/autograd/ops/attention/attention_call.hpp>
#include <maskgrad/autograd/ops/elementwise/where.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/autograd/ops/reduce/softmax.hpp>
#include <maskgrad/autograd/ops/shape/permute.hpp>
#include <maskgrad/core/kernels/add_to.hpp>

namespace maskgrad {
namespace {

using attention_detail::Call;
using attention_detail::into;
using kernels::AttentionProblem;

constexpr std::string_view attention_scores_op = "attention_scores";

/// The first pair of each query's row, and behind them the number of pairs.
Index first_pairs(const Call& call) {
  Index first(call.queries.rows + 1);
  std::int64_t pairs = 0;
  for (std::int64_t b = 0; b < call.queries.count(); ++b) {
    for (std::int64_t i = 0; i < call.queries.length[b]; ++i) {
      const auto r = call.queries.first[b] + i;
      first[r] = pairs;
      pairs += call.end_key(b, r) - call.first_key(r);
    }
  }
  first[first.size() - 1] = pairs;
  return first;
}

/// Calls f(query row, key row, pair) for the pairs of sequence `b`.
template <class F>
void each_pair(const Call& call, const Index& first, std::int64_t b, F&& f) {
  const auto& queries = call.queries;
  for (auto r = queries.first[b]; r < queries.first[b] + queries.length[b]; ++r) {
    const auto from = call.first_key(r);
    for (auto j = from; j < call.end_key(b, r); ++j)
      f(r, call.keys.first[b] + j, first[r] + j - from);
  }
}

template <class T>
std::int64_t bias_at(const AttentionProblem<T>& p, std::int64_t b, std::int64_t r, std::int64_t j,
                     std::int64_t h) {
  return b * p.bias.batch + h * p.bias.head + p.bias.query_step[r] * p.bias.query +
         p.bias.key_step[j] * p.bias.key;
}

/// y [pairs, heads] = scale q k + bias.
template <class T>
void forward(const Call& call, const Index& first, const AttentionProblem<T>& p, T* y) {
  parallel_for(p.batch, [&](std::int64_t b) {
    each_pair(call, first, b, [&](std::int64_t r, std::int64_t j, std::int64_t pair) {
      for (std::int64_t h = 0; h < p.heads; ++h) {
        const T* q = p.q + (r * p.heads + h) * p.dim;
        const T* k = p.k + (j * p.kv_heads + h * p.kv_heads / p.heads) * p.dim;
        T dot = 0;
        for (std::int64_t d = 0; d < p.dim; ++d) dot += q[d] * k[d];
        const T bias = p.bias.data ? p.bias.data[bias_at(p, b, r, j, h)] : T(0);
        const bool hides = bias == -std::numeric_limits<T>::infinity();
        y[pair * p.heads + h] = hides ? bias : p.scale * dot + bias;
      }
    });
  });
}

template <class T>
void backward(const Call& call, const Index& first, const AttentionProblem<T>& p, const T* dy,
              T* dq, T* dk) {
  parallel_for(p.batch, [&](std::int64_t b) {
    each_pair(call, first, b, [&](std::int64_t r, std::int64_t j, std::int64_t pair) {
      for (std::int64_t h = 0; h < p.heads; ++h) {
        const auto at_q = (r * p.heads + h) * p.dim;
        const auto at_k = (j * p.kv_heads + h * p.kv_heads / p.heads) * p.dim;
        const T d = p.scale * dy[pair * p.heads + h];
        if (d == 0) continue;
        for (std::int64_t i = 0; dq && i < p.dim; ++i) dq[at_q + i] += d * p.k[at_k + i];
        for (std::int64_t i = 0; dk && i < p.dim; ++i) dk[at_k + i] += d * p.q[at_q + i];
      }
    });
  });
}

/// In order, since sequences may share a bias.
template <class T>
void backward_bias(const Call& call, const Index& first, const AttentionProblem<T>& p, const T* dy,
                   T* dbias) {
  for (std::int64_t b = 0; b < p.batch; ++b) {
    each_pair(call, first, b, [&](std::int64_t r, std::int64_t j, std::int64_t pair) {
      for (std::int64_t h = 0; h < p.heads; ++h) {
        dbias[bias_at(p, b, r, j, h)] += dy[pair * p.heads + h];
      }
    });
  }
}

/// Sets the scores of a query whose bias hides all its keys to 0, for a softmax without NaN;
/// `hidden` says where.
template <class T>
void uncover(const Index& first, std::int64_t heads, T* scores, bool* hidden) {
  for (std::int64_t r = 0; r + 1 < first.size(); ++r) {
    for (std::int64_t h = 0; h < heads; ++h) {
      bool all = true;
      for (auto i = first[r]; i < first[r + 1]; ++i) {
        all = all && scores[i * heads + h] == -std::numeric_limits<T>::infinity();
      }
      for (auto i = first[r]; i < first[r + 1]; ++i) {
        hidden[i * heads + h] = all;
        if (all) scores[i * heads + h] = 0;
      }
    }
  }
}

/// The scores of all pairs, before the softmax; `hidden` is set where there is a bias.
Tensor products(const Tensor& q, const Tensor& k, const Tensor& bias, const Shape& shape,
                const AttentionOptions& options, Tensor& hidden) {
  const Call call(attention_scores_op, q, k, options);
  const Index first = first_pairs(call);
  const bool masked = q.has_mask() || k.has_mask() || call.limited;
  const Mask mask = masked ? call.pairs(attention_scores_op, q, k) : Mask();
  const Tensor y = rows::make(shape, q.dtype(), mask);
  if (bias.defined()) hidden = rows::make(shape, DType::boolean, mask);
  dispatch_real(attention_scores_op, q.dtype(), [&]<class T>() {
    T* scores = rows::of_mutable<T>(y).data();
    forward<T>(call, first, call.problem<T>(q, k, bias), scores);
    if (hidden.defined()) {
      uncover<T>(first, q.shape()[2], scores, rows::of_mutable<bool>(hidden).data());
    }
  });
  return record(attention_scores_op, y, {q, k, bias},
                [call, first, mask, q = Saved(q), k = Saved(k), bias = Saved(bias)](
                    const Tensor& dy, auto& grads) {
                  if constexpr (is_adjoint<decltype(grads)>) {
                    const Tensor scores = attention_detail::scores_of_pairs(
                        call, grads.input(0, q), grads.input(1, k), grads.input(2, bias));
                    const Tensor all = permute(scores, {0, 2, 3, 1});
                    grads.through(mask ? with_mask(all, mask) : all);
                  } else {
                    dispatch_real(attention_scores_op, dy.dtype(), [&]<class T>() {
                      const auto p = call.template problem<T>(q.get(), k.get(), bias.get());
                      const T* d = rows::of<T>(dy).data();
                      T* dq = into<T>(grads, 0);
                      T* dk = into<T>(grads, 1);
                      if (dq || dk) backward<T>(call, first, p, d, dq, dk);
                      if (T* dbias = into<T>(grads, 2)) backward_bias<T>(call, first, p, d, dbias);
                    });
                  }
                });
}

}  // namespace

Tensor attention_scores(const Tensor& q, const Tensor& k, const AttentionOptions& options) {
  attention_detail::check_call(attention_scores_op, q, k, options);
  const Shape pairs{q.shape()[0], q.shape()[1], k.shape()[1]};
  const Shape shape = pairs + Shape{q.shape()[2]};
  const Tensor& bias = options.bias;
  if (!q.is_meta() && !k.is_meta() && !(bias.defined() && bias.is_meta())) {
    Tensor hidden;
    const Tensor y = softmax(products(q, k, bias, shape, options, hidden), 2);
    return hidden.defined() ? where(hidden, scalar(0, y.dtype()), y) : y;
  }
  const auto stays = [](const Tensor& x) { return x.has_mask() && !masks::is_possible(x.mask()); };
  const bool certain = options.causal || options.window || stays(q) || stays(k);
  const bool masked = certain || q.has_mask() || k.has_mask();
  const Mask mask =
      masked ? masks::meta(pairs, masks::origin_here(attention_scores_op), !certain) : Mask();
  return rows::make_meta(shape, q.dtype(), mask);
}

}  // namespace maskgrad
