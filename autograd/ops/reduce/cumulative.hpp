#pragma once

#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

/// Running sum along an axis: y[t] = x[0] + ... + x[t]. f32, f64, i64; reals add up in f64.
/// Mask:     an inner axis: propagates. The last mask axis: over each sequence's valid steps, and
///           passed on. Other mask axes are refused.
/// Gradient: the running sum of dy from the end.
/// Throws:   TypeError for bool, ShapeError, MaskError.
/// Example:  mg::cumsum(x, 1);  // [4, 5, 3], over each sequence's valid steps
Tensor cumsum(const Tensor& x, int axis);

/// Running product along an axis: y[t] = x[0] * ... * x[t]. Mask and Throws as cumsum.
/// Gradient: dx[i] = sum over t >= i of dy[t] y[t] / x[i], right where some are 0.
/// Example:  mg::cumprod(x, 1);
Tensor cumprod(const Tensor& x, int axis);

}  // namespace maskgrad
