#include <maskgrad/autograd/ops/attention/attention.hpp>

#include <maskgrad/autograd/ops/attention/attention_call.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>

namespace maskgrad {
namespace {

using attention_detail::Call;

constexpr std::string_view attention_op = "attention";

void check_values(const Tensor& k, const Tensor& v) {
  check::same_dtype(attention_op, k, v);
  check::rank(attention_op, v, 4, "[batch, key, heads, dim]; without heads, expand_dims(v, 2)");
  attention_detail::check_mask(attention_op, v);
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
};

template <class T>
T* into(Grads& grads, int input) {
  return grads.wants(input) ? grads.into<T>(input).data() : nullptr;
}

Tensor attend(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& options) {
  const Recorded recorded{Call(attention_op, q, k, options),
                          {options.dropout, options.seed, q.shape()[0]}};
  const Tensor& bias = options.bias;
  const auto heads = q.shape()[2], width = v.shape()[3];
  const Tensor y = rows::make(q.shape().sub(0, 3) + Shape{width}, q.dtype(), q.mask());
  const Tensor log_sum = rows::make({recorded.call.queries.step.size(), heads}, q.dtype());
  dispatch_real(attention_op, q.dtype(), [&]<class T>() {
    kernels::attention_forward(recorded.problem<T>(q, k, v, bias), rows::of_mutable<T>(y).data(),
                               rows::of_mutable<T>(log_sum).data());
  });
  return record(attention_op, y, {q, k, v, bias},
                [recorded, y, log_sum, q = Saved(q), k = Saved(k), v = Saved(v),
                 bias = Saved(bias)](const Tensor& dy, Grads& grads) {
                  dispatch_real(attention_op, dy.dtype(), [&]<class T>() {
                    const auto p = recorded.problem<T>(q.get(), k.get(), v.get(), bias.get());
                    kernels::attention_backward<T>(p, {.y = rows::of<T>(y).data(),
                                                       .log_sum = rows::of<T>(log_sum).data(),
                                                       .dy = rows::of<T>(dy).data(),
                                                       .dq = into<T>(grads, 0),
                                                       .dk = into<T>(grads, 1),
                                                       .dv = into<T>(grads, 2),
                                                       .dbias = into<T>(grads, 3)});
                  });
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
