#pragma once

#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

/// The values in another element type; reals to i64 are cut towards zero, to bool: not zero.
/// Mask:     propagates. Gradient: cast back, where both types are real.
/// Throws:   TypeError for a real that no i64 can hold (NaN, infinities, too large).
/// Example:  mg::cast(x, mg::DType::f64);
Tensor cast(const Tensor& x, DType dtype);

}  // namespace maskgrad
