#pragma once

#include <maskgrad/layers/losses/loss.hpp>

namespace maskgrad {

// Losses of margins, as Keras 3 defines them.
// Shapes:   target and prediction [batch, ..., features], the same shape.
// Mask:     consumes; a position counts where both are valid. The target is read nowhere else.
// Gradient: of the reported value; 0 where the margin is kept.
// Throws:   ShapeError (nothing is broadcast), TypeError.

/// max(1 - t p, 0), the mean over features. Targets are -1 or 1, or 0 or 1: a 0 counts as -1, value
/// by value (Keras looks at the whole batch for that, and so at its split).
/// Example:  mg::hinge(onehot, model(x)).backward();
Loss hinge(const Tensor& target, const Tensor& prediction, const LossOptions& options = {});
/// The square of it.
/// Example:  mg::squared_hinge(onehot, model(x)).backward();
Loss squared_hinge(const Tensor& target, const Tensor& prediction, const LossOptions& options = {});

/// max(1 + greatest p of the other classes - p of the true one, 0), for one-hot targets.
/// Mask:     as above; over classes it is a MaskError.
/// Example:  mg::categorical_hinge(onehot, model(x), {.reduction = mg::Reduction::per_sequence});
Loss categorical_hinge(const Tensor& target, const Tensor& prediction,
                       const LossOptions& options = {});

}  // namespace maskgrad
