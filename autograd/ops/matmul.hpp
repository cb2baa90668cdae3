#pragma once

#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

/// Rows by a matrix: y[..., n] = sum over k of x[..., k] w[k, n].
/// Shapes:   x [..., k], w [k, n] -> y [..., n]; x of one axis gives [n].
/// Mask:     propagates; MaskError where x's mask covers its last axis, or w has a mask.
/// Gradient: dx = dy w^T, dw = x^T dy over the valid rows.
/// Throws:   ShapeError, TypeError, MaskError.
Tensor matmul(const Tensor& x, const Tensor& w);

}  // namespace maskgrad
