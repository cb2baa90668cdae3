#include <maskgrad/layers/normalization/batch_normalization.hpp>

#include <maskgrad/autograd/ops/arithmetic.hpp>
#include <maskgrad/autograd/ops/unary.hpp>

namespace maskgrad {

BatchNormalization::BatchNormalization(BatchNormalizationOptions options)
    : info(kind, options.name),
      options_(std::move(options)),
      weights_(options_.scale, options_.center) {
  check::epsilon(kind, options_.epsilon);
  if (!(options_.momentum >= 0 && options_.momentum <= 1)) {
    fail<OptionError>(kind, "the option .momentum is {}; expected 0 to 1", options_.momentum);
  }
}

void BatchNormalization::build(const Tensor& x, Builder& builder) {
  weights_.build(info, kind, x, builder, options_.gamma_initializer, options_.beta_initializer);
  const Shape features{x.shape().back()};
  moving_mean_ = builder.weight("moving_mean", features, options_.moving_mean_initializer, false);
  moving_variance_ =
      builder.weight("moving_variance", features, options_.moving_variance_initializer, false);
}

void BatchNormalization::move(const Parameter& moving, const Tensor& batch) const {
  const NoGrad no_grad;
  moving.set(moving.tensor() * options_.momentum + batch * (1 - options_.momentum));
}

Tensor BatchNormalization::forward(const Tensor& x) {
  check::feature_axis(info, kind, x, options_.axis);
  weights_.check(info, kind, x);
  if (training()) {
    const auto batch = batch_normalise(x, options_.epsilon, weights_.affine());
    if (batch.count > 0) {
      move(moving_mean_, batch.mean);
      move(moving_variance_, batch.variance);
    }
    return batch.y;
  }
  // Copies, so that a later step in training leaves what backward reads as it is.
  const Tensor mean = moving_mean_.value(), variance = moving_variance_.value();
  const auto [gamma, beta] = weights_.affine();
  const Tensor scale = rsqrt(variance + options_.epsilon);
  const Tensor y = (x - mean) * (gamma.defined() ? scale * gamma : scale);
  return beta.defined() ? y + beta : y;
}

}  // namespace maskgrad
