#pragma once

#include <string_view>
#include <vector>

#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

/// Products and sums over axes named by letters, of one tensor or two: a letter that is not in the
/// result is summed over, `einsum("bti,ij->btj", {x, w})`.
/// Shapes:   the letters of each tensor are its axes in order; a letter has one size throughout.
/// Mask:     propagates. Mask axes are not summed over nor paired: they begin the result and, as
///           far as both have some, have the same letters; the result is valid where both are.
/// Gradient: of each tensor, the other by dy, summed over the other letters.
/// Throws:   OptionError for a formula that cannot be read, with the position in it, ShapeError,
///           TypeError, MaskError.
/// Example:  mg::einsum("bti,ij->btj", {x, weight});  // [4, 5, 2]
Tensor einsum(std::string_view formula, const std::vector<Tensor>& x);

}  // namespace maskgrad
