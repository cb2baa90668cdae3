#pragma once

#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

/// Rows by a matrix: y[..., n] = sum over k of x[..., k] w[k, n] (+ bias[n], where one is given).
/// Shapes:   x [..., k], w [k, n], bias [n] -> y [..., n]; x of one axis gives [n].
/// Mask:     propagates; MaskError where x's mask covers its last axis, or w or bias has a mask.
/// Gradient: dx = dy w^T, dw = x^T dy and dbias = the sum of dy over the valid rows.
/// Throws:   ShapeError, TypeError, MaskError.
/// Example:  mg::matmul(x, weight, mg::zeros({2}));  // [4, 5, 2]
Tensor matmul(const Tensor& x, const Tensor& w, const Tensor& bias = {});

}  // namespace maskgrad
