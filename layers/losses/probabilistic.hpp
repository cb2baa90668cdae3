#pragma once

#include <maskgrad/layers/losses/loss.hpp>

namespace maskgrad {

// Losses of distributions, as Keras 3 defines them.
// Shapes:   target and prediction [batch, ..., features], the same shape.
// Mask:     consumes; a position counts where both are valid. The target is read nowhere else.
// Throws:   ShapeError (nothing is broadcast), TypeError.

/// sum over features of t log(t / p), both clipped to [1e-7, 1]: probabilities. Where t is 0 the
/// term is 0, and p is not read.
/// Mask:     as above; over features it is a MaskError.
/// Example:  mg::kl_divergence(mg::softmax(y), mg::softmax(model(x))).backward();
Loss kl_divergence(const Tensor& target, const Tensor& prediction, const LossOptions& options = {});

/// p - t log(p + 1e-7), without the logarithm where t is 0, the mean over features: minus the log
/// likelihood of counts t whose expectation is p, which is not below 0. Where the mask covers the
/// features, each value is a position.
/// Example:  mg::poisson(onehot, mg::exp(model(x))).backward();
Loss poisson(const Tensor& target, const Tensor& prediction, const LossOptions& options = {});

}  // namespace maskgrad
