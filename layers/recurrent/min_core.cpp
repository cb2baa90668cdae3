#include <maskgrad/layers/recurrent/min_core.hpp>

#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/linear/matmul.hpp>
#include <maskgrad/autograd/ops/sequence/linear_recurrence.hpp>
#include <maskgrad/autograd/ops/shape/slice.hpp>
#include <maskgrad/layers/layer/check.hpp>

namespace maskgrad::detail {

MinCore::MinCore(std::string_view kind, bool lstm, MinOptions options)
    : lstm_(lstm), options_(std::move(options)), activation_(activation(options_.activation)) {
  check::at_least(kind, "units", options_.units, 1);
}

void MinCore::build(const Tensor& x, Builder& builder) {
  check::has_features(x);
  const auto all = gates() * options_.units;
  kernel_ = builder.weight("kernel", {x.shape().back(), all}, options_.kernel_initializer);
  if (options_.use_bias) bias_ = builder.weight("bias", {all}, options_.bias_initializer);
}

Tensor MinCore::enter(const Tensor& x) const {
  check::features(x, kernel_.shape()[0]);
  return x;
}

Tensor MinCore::sums(const Tensor& x, std::int64_t i) const {
  // Of the weights' columns, not of the results': those are many rows to copy.
  const auto from = i * options_.units, to = from + options_.units;
  const Tensor bias = options_.use_bias ? slice(bias_, 0, from, to) : Tensor();
  return matmul(x, slice(kernel_, 1, from, to), bias);
}

Tensors MinCore::run_whole(const Tensor& x, const Tensors& states, bool backwards) const {
  const Tensor candidate = activation_(sums(x, gates() - 1));
  // i / (f + i) of two sigmoids, also where both are 0 to the last bit: sigmoid(log i - log f).
  const Tensor write =
      lstm_ ? sigmoid(log_sigmoid(sums(x, 1)) - log_sigmoid(sums(x, 0))) : sigmoid(sums(x, 0));
  const auto [h, last] = linear_recurrence_with_state(
      1 - write, write * candidate, {.initial = states[0], .backwards = backwards});
  return {h, last};
}

}  // namespace maskgrad::detail
