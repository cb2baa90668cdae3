#pragma once

#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

/// a where the condition is true, else b; selected, so what is not taken reaches neither the value
/// nor the gradient, NaN included.
/// Shapes:   all three broadcast as NumPy does; the condition is bool.
/// Mask:     each is broadcast to the result; the result is valid where all are.
/// Gradient: dy to the one taken, summed over the axes that were broadcast.
/// Throws:   ShapeError; TypeError for a condition that is not bool, and for two types.
/// Example:  mg::where(mg::greater(x, 0), x, mg::zeros({}));
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);

/// a where it is valid, else b. With it a recurrence written by hand keeps its state over padding:
/// h = or_else(cell(x[:, t], h), h).
/// Shapes:   a and b have one shape.
/// Mask:     that of b; none where b has none.
/// Gradient: dy to the one taken.
/// Throws:   ShapeError where the shapes differ (nothing is broadcast); TypeError for two types.
/// Example:  mg::Tensor h = mg::zeros({4, 3});
///           for (int t = 0; t < 5; ++t) h = mg::or_else(mg::tanh(mg::select(x, 1, t) + h), h);
Tensor or_else(const Tensor& a, const Tensor& b);

}  // namespace maskgrad
