#pragma once

#include <vector>

#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

/// Parts one after the other along an axis. All have one type, and the same sizes elsewhere.
/// Mask:     over a mask axis (of any part), the masks one after the other, a part without one all
///           valid; over an inner axis, the AND of the masks.
/// Gradient: to each part its piece of dy, 0 where the AND dropped it.
/// Throws:   ShapeError for no parts, and for ranks or sizes that differ; TypeError.
/// Example:  mg::concatenate({x, y}, 1);  // [4, 10, 3], its mask too
Tensor concatenate(const std::vector<Tensor>& parts, int axis = -1);

/// Parts of one shape along a new axis.
/// Mask:     an axis before or right behind the mask axes becomes a mask axis, so that each part
///           keeps its mask (the steps of a recurrence, stacked on axis 1); behind it, the AND.
/// Gradient: to each part its piece of dy. Throws: as concatenate.
/// Example:  mg::stack({mg::first_valid(x), mg::last_valid(x)}, 1);  // [4, 2, 3]
Tensor stack(const std::vector<Tensor>& parts, int axis = 0);

}  // namespace maskgrad
