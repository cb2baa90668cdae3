#pragma once

#include <limits>

#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

/// A slice that goes to the end of its axis.
inline constexpr std::int64_t to_end = std::numeric_limits<std::int64_t>::max();

/// Steps start, start + step, ... below `stop` of an axis; negative start and stop count from the
/// back. Nothing is cut to fit: 0 <= start <= stop <= size must hold.
/// Shapes:   axis `axis` gets ceil((stop - start) / step) steps.
/// Mask:     over a mask axis, the mask sliced the same way; over an inner axis, kept.
/// Gradient: dy where it came from, 0 elsewhere.
/// Throws:   IndexError out of range, for start after stop, and for a step below 1.
/// Example:  mg::slice(x, 1, 1, -1);  // [4, 3, 3], its mask too
Tensor slice(const Tensor& x, int axis, std::int64_t start, std::int64_t stop = to_end,
             std::int64_t step = 1);

/// x[..., index, ...]: index `index` of an axis, which ends; negative ones count from the back.
/// Shapes:   x [batch, time, features], axis 1 -> [batch, features].
/// Mask:     over a mask axis, the mask at that index; over an inner axis, kept.
/// Gradient: dy where it came from; its cost is that of the part selected.
/// Throws:   IndexError out of range.
/// Example:  mg::select(x, 1, 2);  // [4, 3] under a mask [4]: of step 2
Tensor select(const Tensor& x, int axis, std::int64_t index);

}  // namespace maskgrad
