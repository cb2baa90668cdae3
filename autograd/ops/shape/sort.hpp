#pragma once

#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

/// The values along the last axis in rising order (falling: `descending`); equal ones keep their
/// order, NaN counts as greatest.
/// Mask:     propagates; the last axis must be an inner one.
/// Gradient: each value's dy goes back to where it stood.
/// Throws:   ShapeError for a scalar, MaskError, TypeError for bool.
/// Example:  mg::sort(x, true);
Tensor sort(const Tensor& x, bool descending = false);
/// Where they stood, i64: sort(x)[i] = x[argsort(x)[i]].
/// Example:  mg::argsort(x);
Tensor argsort(const Tensor& x, bool descending = false);

struct TopKResult {
  Tensor values;
  Tensor indices;  ///< i64
};
/// The k greatest along the last axis, greatest first, and where they stood.
/// Shapes:   [..., n] -> [..., k] twice. Mask, Gradient and Throws as sort, and ShapeError for k
///           below 0 or above n.
/// Example:  mg::top_k(x, 2).values;  // [4, 5, 2]
TopKResult top_k(const Tensor& x, std::int64_t k);

}  // namespace maskgrad
