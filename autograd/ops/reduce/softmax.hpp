#pragma once

#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

/// exp(x) / sum(exp(x)) along an axis.
/// Mask:     an inner axis: propagates. The last mask axis: over each sequence's valid steps, and
///           passed on; an empty sequence has no values. Other mask axes are refused.
/// Gradient: dx = y (dy - sum(dy y)).
/// Throws:   TypeError, ShapeError, MaskError.
/// Example:  mg::softmax(x, 1);  // over each sequence's valid steps
Tensor softmax(const Tensor& x, int axis);
Tensor softmax(const Tensor& x);  ///< along the last axis

/// log(softmax(x)), without the loss of digits. Mask and Throws as softmax.
/// Gradient: dx = dy - exp(y) sum(dy).
/// Example:  mg::log_softmax(x);
Tensor log_softmax(const Tensor& x, int axis);
Tensor log_softmax(const Tensor& x);

}  // namespace maskgrad
