#include <maskgrad/autograd/ops/attention/attention.hpp>

#include <maskgrad/autograd/ops/attention/attention_by_pairs.hpp>
#include <maskgrad/autograd/ops/attention/attention_call.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/autograd/ops/shape/permute.hpp>

namespace maskgrad {
namespace {

using attention_detail::Call;
using attention_detail::into;

constexpr std::string_view attention_op = "attention";

void check_values(const Tensor& k, const Tensor& v) {
  check::same_dtype(attention_op, k, v);
  check::rank(attention_op, v, 4, "[batch, key, heads, dim]; without heads, expand_dims(v, 2)");
  check::whole_steps(attention_op, v, "heads");
  if (fits(k.shape().sub(0, 3), v.shape().sub(0, 3)) && v.shape()[3] != 0) return;
  fail<ShapeError>(attention_op,
                   "keys {} with values {}; expected the same batch, key and heads, and a dim of "
                   "1 or more",
                   k.describe(), v.describe());
}

/// What backward needs again.
struct Recorded {
  Call call;
  attention_detail::CallNoise noise;

  template <class T>
  kernels::AttentionProblem<T> problem(const Tensor& q, const Tensor& k, const Tensor& v,
                                       const Tensor& bias) const {
    auto p = call.problem<T>(q, k, bias);
    p.dim_v = v.shape()[3];
    p.v = rows::of<T>(v).data();
    p.noise = noise.get();
    return p;
  }
  /// The result made again of other operations.
  Tensor by_pairs(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& bias) const {
    using namespace attention_detail;
    const auto times = q.shape()[2] / v.shape()[2];
    const Tensor scores = scores_of_pairs(call, q, k, bias);
    const Tensor means = mean_of_pairs(attention_op, call, noise, q, k, scores, by_heads(v, times));
    const Tensor y = permute(means, {0, 2, 1, 3});
    return q.has_mask() ? with_mask(y, q.mask()) : y;
  }
};

Tensor attend(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& options) {
  const Recorded recorded{Call(attention_op, q, k, options),
                          {options.dropout, options.seed, q.shape()[0]}};
  const Tensor& bias = options.bias;
  const auto heads = q.shape()[2], width = v.shape()[3];
  const Tensor y = rows::make(q.shape().sub(0, 3) + Shape{width}, q.dtype(), q.mask());
  const Tensor log_sum = rows::make({recorded.call.queries.rows, heads}, q.dtype());
  dispatch_real(attention_op, q.dtype(), [&]<class T>() {
    kernels::attention_forward(recorded.problem<T>(q, k, v, bias), rows::of_mutable<T>(y).data(),
                               rows::of_mutable<T>(log_sum).data());
  });
  return record(attention_op, y, {q, k, v, bias},
                [recorded, y, log_sum, q = Saved(q), k = Saved(k), v = Saved(v),
                 bias = Saved(bias)](const Tensor& dy, auto& grads) {
                  if constexpr (is_adjoint<decltype(grads)>) {
                    grads.through(recorded.by_pairs(grads.input(0, q), grads.input(1, k),
                                                    grads.input(2, v), grads.input(3, bias)));
                  } else {
                    dispatch_real(attention_op, dy.dtype(), [&]<class T>() {
                      const auto p =
                          recorded.template problem<T>(q.get(), k.get(), v.get(), bias.get());
                      kernels::attention_backward<T>(p, {.y = rows::of<T>(y).data(),
                                                         .log_sum = rows::of<T>(log_sum).data(),
                                                         .dy = rows::of<T>(dy).data(),
                                                         .dq = into<T>(grads, 0),
                                                         .dk = into<T>(grads, 1),
                                                         .dv = into<T>(grads, 2),
                                                         .dbias = into<T>(grads, 3)});
                    });
                  }
                });
}

}  // namespace

Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v,
                 const AttentionOptions& options) {
  attention_detail::check_call(attention_op, q, k, options);
  check_values(k, v);
  const bool meta = q.is_meta() || k.is_meta() || v.is_meta() ||
                    (options.bias.defined() && options.bias.is_meta());
  if (meta) return rows::make_meta(q.shape().sub(0, 3) + Shape{v.shape()[3]}, q.dtype(), q.mask());
  const Tensor keys = v.has_mask() ? with_mask(k, v.mask()) : k;
  return attend(q, keys, keys.has_mask() ? with_mask(v, keys.mask()) : v, options);
}

}  // namespace maskgrad
