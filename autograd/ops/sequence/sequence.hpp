#pragma once

#include <optional>

#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

/// These work along the steps of each sequence: the last mask axis, and on it the valid steps
/// alone, in order; a hole is no gap. Where the mask covers one axis or none, the steps are axis 1;
/// `axis` names another. Along an axis that is not the mask's, every step counts.
/// Throws: ShapeError for an axis that is not there; MaskError for a mask axis that is not the
/// last.

/// The steps of each sequence in reverse order.
/// Mask:     kept: valid steps change places among themselves. Gradient: reversed back.
/// Example:  mg::reverse(x);
Tensor reverse(const Tensor& x, std::optional<int> axis = {});

/// Each sequence moved by `by` steps: step k holds what step k - by held, else `fill`.
/// Mask:     kept. Gradient: dy moved back, 0 for what was moved out.
/// Example:  mg::shift(x, 1);  // each step holds the one before it, the first one 0
Tensor shift(const Tensor& x, std::int64_t by, double fill = 0, std::optional<int> axis = {});

/// Step k of each sequence, negative from its end; the axis of the steps ends.
/// Shapes:   x [batch, time, features] -> [batch, features].
/// Mask:     consumes: over the axes before it, false where there are fewer steps; none where all
///           have enough.
/// Gradient: dy at that step, 0 elsewhere.
/// Throws:   IndexError along an axis that is not the mask's, out of range.
/// Example:  mg::take_step(x, -2);  // [4, 3] under a mask [4]: one sequence has a single step
Tensor take_step(const Tensor& x, std::int64_t k, std::optional<int> axis = {});

/// take_step(x, -1): the last valid step of each sequence; of an empty one it does not exist.
/// Example:  mg::last_valid(x);  // [4, 3]
Tensor last_valid(const Tensor& x, std::optional<int> axis = {});
/// take_step(x, 0).
/// Example:  mg::first_valid(x);  // [4, 3]
Tensor first_valid(const Tensor& x, std::optional<int> axis = {});

}  // namespace maskgrad
