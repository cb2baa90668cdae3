#include <maskgrad/layers/recurrent/rg_lru.hpp>

#include <limits>

#include <maskgrad/autograd/ops/elementwise/activations.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/linear/matmul.hpp>
#include <maskgrad/autograd/ops/sequence/linear_recurrence.hpp>
#include <maskgrad/autograd/ops/shape/concatenate.hpp>
#include <maskgrad/autograd/ops/shape/slice.hpp>
#include <maskgrad/layers/layer/check.hpp>

namespace maskgrad::detail {
namespace {

constexpr double sharpness = 8;  // the paper's c

/// The decay with which a is even between 0.9 and 0.999 where r is 1: softplus(decay) is
/// -log(a) / c. `uniform`: values from -0.05 to 0.05.
Tensor begin_decay(const Tensor& uniform) {
  const Tensor a = 0.9 + (uniform + 0.05) * 0.99;
  return log(expm1(log(a) * (-1 / sharpness)));
}

}  // namespace

RGLRUCore::RGLRUCore(RGLRUOptions options) : options_(std::move(options)) {
  check::at_least("RGLRU", "num_blocks", options_.num_blocks, 1);
}

void RGLRUCore::build(const Tensor& x, Builder& builder) {
  check::has_features(x);
  const auto features = x.shape().back(), blocks = options_.num_blocks;
  if (features % blocks != 0) {
    fail<OptionError>(layer_title(),
                      "the option .num_blocks is {} for {}; expected one that divides the features",
                      blocks, x.describe());
  }
  const auto size = features / blocks;
  kernel_ = builder.weight("kernel", {blocks, size, 2 * size}, options_.kernel_initializer);
  if (options_.use_bias) bias_ = builder.weight("bias", {2, features}, options_.bias_initializer);
  decay_ = builder.weight("decay", {features}, "random_uniform");
  const NoGrad no_grad;
  decay_.set(begin_decay(decay_.value()));
}

Tensor RGLRUCore::enter(const Tensor& x) const {
  check::features(x, decay_.shape()[0]);
  return x;
}

Tensor RGLRUCore::gate(const Tensor& x, std::int64_t i) const {
  const auto size = kernel_.shape()[1];
  Tensors parts;
  for (std::int64_t k = 0; k < options_.num_blocks; ++k) {
    const auto from = k * size, to = from + size;
    const Tensor own = options_.num_blocks == 1 ? x : slice(x, -1, from, to);
    const Tensor kernel = slice(select(kernel_, 0, k), 1, i * size, (i + 1) * size);
    const Tensor bias = options_.use_bias ? slice(select(bias_, 0, i), 0, from, to) : Tensor();
    parts.push_back(matmul(own, kernel, bias));
  }
  return sigmoid(parts.size() == 1 ? parts[0] : concatenate(parts, -1));
}

Tensors RGLRUCore::run_whole(const Tensor& x, const Tensors& states, bool backwards) const {
  const Tensor log_a = gate(x, 0) * (softplus(decay_) * -sharpness);
  // 1 - a^2 without loss of digits. Of 0, where nothing decays, the root would have no slope.
  const Tensor room = maximum(-expm1(2 * log_a), std::numeric_limits<float>::min());
  const auto [h, last] = linear_recurrence_with_state(
      exp(log_a), sqrt(room) * (gate(x, 1) * x), {.initial = states[0], .backwards = backwards});
  return {h, last};
}

}  // namespace maskgrad::detail
