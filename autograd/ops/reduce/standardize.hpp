#pragma once

#include <maskgrad/autograd/axes.hpp>
#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

/// (x - mean) / sqrt(variance + epsilon), mean and variance over valid rows alone. Without axes
/// those of each feature: over all axes but the last. A feature that does not vary gives 0.
/// Mask:     stays: over mask axes it is read, and passed on.
/// Gradient: through the mean and the variance too.
/// Throws:   OptionError for an epsilon of 0 or less; TypeError; ShapeError for fewer than 2 axes
///           where none is named.
/// Example:  mg::standardize(x);
Tensor standardize(const Tensor& x);
Tensor standardize(const Tensor& x, const Axes& axes, double epsilon = 1e-7);

}  // namespace maskgrad
