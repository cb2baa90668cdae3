#pragma once

#include <maskgrad/layers/losses/loss.hpp>

namespace maskgrad {

/// Squared error, the mean over features at each position.
/// Shapes:   target and prediction [batch, ..., features], the same shape.
/// Mask:     consumes; a position counts where both are valid. The target is read nowhere else.
///           Where the mask covers the features, each value is a position.
/// Gradient: of the reported value; 2 (prediction - target) / (features count) for the mean.
/// Throws:   ShapeError (nothing is broadcast), TypeError.
/// Source:   Keras 3, MeanSquaredError.
Loss mean_squared_error(const Tensor& target, const Tensor& prediction,
                        const LossOptions& options = {});

/// Minus the log probability of the true class, from logits.
/// Shapes:   target [batch, ...] i64, logits [batch, ..., classes].
/// Mask:     consumes; a position counts where both are valid. Ids are read nowhere else.
/// Throws:   ShapeError, TypeError, IndexError for an id that is no class.
/// Source:   Keras 3, SparseCategoricalCrossentropy(from_logits=True).
Loss sparse_categorical_crossentropy(const Tensor& target, const Tensor& logits,
                                     const LossOptions& options = {});

}  // namespace maskgrad
