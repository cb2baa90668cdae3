#pragma once

#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

/// The windows of each feature by kernels of its own:
///   y[..., i * multiplier + d] = sum over j of x[..., j, i] kernel[j, i, d]
/// Shapes:   x [..., width, features], kernel [width, features, multiplier] -> [..., features *
///           multiplier].
/// Mask:     propagates; MaskError where x's mask covers its last two axes, or kernel has a mask.
/// Gradient: dx[j, i] = sum over d of dy[i, d] kernel[j, i, d]; dkernel = x dy over the valid rows.
/// Throws:   ShapeError, TypeError, MaskError.
/// Example:  const mg::Tensor parts = mg::windows(x, {.width = 3, .padding = mg::Padding::same});
///           mg::depthwise(parts, mg::ones({3, 3, 2}));  // [4, 5, 6]
Tensor depthwise(const Tensor& x, const Tensor& kernel);

}  // namespace maskgrad
