#include <maskgrad/layers/recurrent/s6.hpp>

#include <cmath>

#include <maskgrad/autograd/ops/elementwise/activations.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/cast.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/linear/matmul.hpp>
#include <maskgrad/autograd/ops/sequence/causal_convolution.hpp>
#include <maskgrad/autograd/ops/sequence/selective_scan.hpp>
#include <maskgrad/autograd/ops/shape/rearrange.hpp>
#include <maskgrad/autograd/ops/shape/repeat.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>
#include <maskgrad/autograd/ops/shape/slice.hpp>
#include <maskgrad/layers/layer/check.hpp>

namespace maskgrad::detail {
namespace {

/// The weights of that name, even between -limit and limit.
Parameter uniform_weight(Builder& builder, std::string_view name, const Shape& shape,
                         double limit) {
  Parameter p = builder.weight(name, shape, "random_uniform");
  const NoGrad no_grad;
  p.set(p.value() * (limit / 0.05));
  return p;
}

/// The bias with which delta is between 0.001 and 0.1 where the step adds nothing, its logarithm
/// even. `uniform`: values from -0.05 to 0.05.
Tensor begin_delta(const Tensor& uniform) {
  const double low = std::log(0.001), high = std::log(0.1);
  const Tensor delta = exp(low + (uniform + 0.05) * (10 * (high - low)));
  return log(expm1(delta));
}

/// A state [batch, size] with its axes, and back; undefined where it is.
Tensor unfolded(const Tensor& state, std::int64_t lines, std::int64_t width) {
  if (!state.defined()) return state;
  return rearrange::regroup("S6", state, Shape{state.shape()[0], lines, width},
                            rows::mask_rank(state));
}
Tensor folded(const Tensor& state) {
  const Shape& s = state.shape();
  return rearrange::regroup("S6", state, Shape{s[0], s[1] * s[2]}, rows::mask_rank(state));
}

}  // namespace

S6Core::S6Core(S6Options options) : options_(std::move(options)) {
  check::at_least("S6", "state_size", options_.state_size, 1);
  check::at_least("S6", "kernel_size", options_.kernel_size, 1);
  check::at_least("S6", "expand", options_.expand, 1);
  check::at_least("S6", "delta_rank", options_.delta_rank, 0);
}

void S6Core::build(const Tensor& x, Builder& builder) {
  check::has_features(x);
  const auto& o = options_;
  const auto features = x.shape().back(), inner = o.expand * features, state = o.state_size;
  const auto rank = o.delta_rank > 0 ? o.delta_rank : (features + 15) / 16;
  input_kernel_ = builder.weight("input_kernel", {features, 2 * inner}, o.kernel_initializer);
  if (o.use_bias) input_bias_ = builder.weight("input_bias", {2 * inner}, o.bias_initializer);
  conv_kernel_ = uniform_weight(builder, "conv_kernel", {o.kernel_size, inner},
                                1 / std::sqrt(static_cast<double>(o.kernel_size)));
  if (o.use_conv_bias) conv_bias_ = builder.weight("conv_bias", {inner}, o.bias_initializer);
  selection_kernel_ =
      builder.weight("selection_kernel", {inner, rank + 2 * state}, o.kernel_initializer);
  delta_kernel_ = uniform_weight(builder, "delta_kernel", {rank, inner},
                                 1 / std::sqrt(static_cast<double>(rank)));
  delta_bias_ = builder.weight("delta_bias", {inner}, "random_uniform");
  decay_ = builder.weight("decay", {state, inner}, "zeros");
  skip_ = builder.weight("skip", {inner}, "ones");
  output_kernel_ = builder.weight("output_kernel", {inner, features}, o.kernel_initializer);
  if (o.use_bias) output_bias_ = builder.weight("output_bias", {features}, o.bias_initializer);
  const NoGrad no_grad;
  delta_bias_.set(begin_delta(delta_bias_.value()));
  // Each channel decays at the rates 1, 2, 3 and so on.
  const Tensor rates = reshape(cast(arange(state), builder.dtype()) + 1, {state, 1});
  decay_.set(log(rates) + zeros({state, inner}, builder.dtype()));
}

std::vector<std::int64_t> S6Core::state_sizes() const {
  return {(options_.kernel_size - 1) * inner(), options_.state_size * inner()};
}

Tensor S6Core::enter(const Tensor& x) const {
  check::features(x, input_kernel_.shape()[0]);
  return x;
}

Tensor S6Core::project(const Tensor& x, std::int64_t i) const {
  const auto from = i * inner(), to = from + inner();
  const Tensor bias = options_.use_bias ? slice(input_bias_, 0, from, to) : Tensor();
  return matmul(x, slice(input_kernel_, 1, from, to), bias);
}

Tensor S6Core::select_by(const Tensor& x, std::int64_t from, std::int64_t to) const {
  return matmul(x, slice(selection_kernel_, 1, from, to));
}

Tensors S6Core::run_whole(const Tensor& x, const Tensors& states, bool backwards) const {
  const auto state = options_.state_size;
  const auto [convolved, window] = causal_convolution(
      project(x, 0), conv_kernel_,
      {.initial = unfolded(states[0], options_.kernel_size - 1, inner()), .backwards = backwards});
  const Tensor u = silu(options_.use_conv_bias ? convolved + conv_bias_ : convolved);
  const Tensor delta = softplus(matmul(select_by(u, 0, rank()), delta_kernel_, delta_bias_));
  const auto [y, h] =
      selective_scan(u, delta, -exp(decay_), select_by(u, rank(), rank() + state),
                     select_by(u, rank() + state, rank() + 2 * state),
                     {.initial = unfolded(states[1], state, inner()), .backwards = backwards});
  const Tensor gated = (y + u * skip_) * silu(project(x, 1));
  const Tensor bias = options_.use_bias ? output_bias_.tensor() : Tensor();
  return {matmul(gated, output_kernel_, bias), folded(window), folded(h)};
}

}  // namespace maskgrad::detail
