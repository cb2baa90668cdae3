#include <maskgrad/autograd/ops/attention/attention.hpp>

#include <maskgrad/autograd/ops/attention/attention_by_pairs.hpp>
#include <maskgrad/autograd/ops/attention/attention_call.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/autograd/ops/shape/permute.hpp>
#include <maskgrad/core/kernels/attention_second.hpp>

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

/// A call, and what backward needs again.
struct Recorded {
  Call call;
  attention_detail::CallNoise noise;
  Tensor y, log_sum;
  Saved q, k, v, bias;

  template <class G>
  void operator()(const Tensor& dy, G& grads) const {
    if constexpr (is_adjoint<G>) {
      grads.through(
          by_pairs(grads.input(0, q), grads.input(1, k), grads.input(2, v), grads.input(3, bias)));
    } else {
      dispatch_real(attention_op, dy.dtype(), [&]<class T>() {
        auto g = read<T>(dy);
        g.dq = into<T>(grads, 0);
        g.dk = into<T>(grads, 1);
        g.dv = into<T>(grads, 2);
        g.dbias = into<T>(grads, 3);
        kernels::attention_backward<T>(problem<T>(), g);
      });
    }
  }
  /// By the kernel, where all is finite.
  bool second(Second& second) const {
    return dispatch_real(attention_op, y.dtype(), [&]<class T>() { return change<T>(second); });
  }

  template <class T>
  kernels::AttentionProblem<T> problem() const {
    auto p = call.problem<T>(q.get(), k.get(), bias.get());
    p.dim_v = v.get().shape()[3];
    p.v = rows::of<T>(v.get()).data();
    p.noise = noise.get();
    return p;
  }

 private:
  template <class T>
  kernels::AttentionBackward<T> read(const Tensor& dy) const {
    return {.y = rows::of<T>(y).data(),
            .log_sum = rows::of<T>(log_sum).data(),
            .dy = rows::of<T>(dy).data()};
  }
  template <class T>
  bool change(Second& second) const;
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

template <class T>
bool Recorded::change(Second& second) const {
  const auto up = [&](int i) { return rows::data_or_null<T>(second.up(i)); };
  const kernels::AttentionDirection<T> u{up(0), up(1), up(2), up(3)};
  const auto p = problem<T>();
  const auto g = read<T>(second.output(0));
  const Tensor of_bias = bias.get();
  if (!kernels::attention_second_fits(p, g, u, of_bias.defined() ? rows::total(of_bias) : 0)) {
    return false;
  }
  const Tensor of_y =
      second.wants_output(0) ? rows::make(y.shape(), y.dtype(), y.mask()) : Tensor();
  Tensor of_inputs[4];
  int i = 0;
  for (const Saved* x : {&q, &k, &v, &bias}) {
    if (second.wants_input(i)) of_inputs[i] = zeros_like(x->get());
    ++i;
  }
  const auto to = [](const Tensor& t) {
    return t.defined() ? rows::of_mutable<T>(t).data() : nullptr;
  };
  kernels::attention_second<T>(
      p, g, u, {to(of_y), to(of_inputs[0]), to(of_inputs[1]), to(of_inputs[2]), to(of_inputs[3])});
  second.add_output(0, of_y);
  for (i = 0; i < 4; ++i) second.add_input(i, of_inputs[i]);
  return true;
}

Tensor attend(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& options) {
  const auto heads = q.shape()[2], width = v.shape()[3];
  const Call call(attention_op, q, k, options);
  const Recorded recorded{call,
                          {options.dropout, options.seed, q.shape()[0]},
                          rows::make(q.shape().sub(0, 3) + Shape{width}, q.dtype(), q.mask()),
                          rows::make({call.queries.rows, heads}, q.dtype()),
                          Saved(q),
                          Saved(k),
                          Saved(v),
                          Saved(options.bias)};
  dispatch_real(attention_op, q.dtype(), [&]<class T>() {
    kernels::attention_forward(recorded.problem<T>(), rows::of_mutable<T>(recorded.y).data(),
                               rows::of_mutable<T>(recorded.log_sum).data());
  });
  return record(attention_op, recorded.y, {q, k, v, options.bias}, recorded);
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
