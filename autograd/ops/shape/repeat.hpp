#pragma once

#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

/// Values of inner axes copied or moved. Each takes an inner axis; a mask axis is a MaskError.
/// Mask:     kept, except broadcast_to.
/// Gradient: dy summed over the copies, 0 for what was dropped.
/// Throws:   ShapeError for an axis or a number out of range.

/// Each step of an axis `times` times: a b -> a a b b.
/// Example:  mg::repeat(x, 2, -1);  // [4, 5, 6]
Tensor repeat(const Tensor& x, std::int64_t times, int axis);
/// The axis as a whole `times` times: a b -> a b a b.
/// Example:  mg::tile(x, 2, -1);  // [4, 5, 6]
Tensor tile(const Tensor& x, std::int64_t times, int axis);
/// `before` and `after` steps of `value` put around an axis.
/// Example:  mg::pad(padded, 1, 0, 3);  // [4, 8, 3]
Tensor pad(const Tensor& x, int axis, std::int64_t before, std::int64_t after, double value = 0);
/// Each step of an axis moved by `by`; what leaves at one end comes in at the other.
/// Example:  mg::roll(padded, 1, 1);
Tensor roll(const Tensor& x, std::int64_t by, int axis);

/// x broadcast as NumPy does: axes of size 1 repeated, new ones in front. In tensors without data
/// mg::any keeps a size free.
/// Mask:     broadcast with it; new axes in front of a mask are mask axes.
/// Gradient: dy summed over the copies. Throws: ShapeError.
/// Example:  mg::broadcast_to(mg::expand_dims(dense, 1), {4, 5, 3});
Tensor broadcast_to(const Tensor& x, const Shape& shape);

}  // namespace maskgrad
