#pragma once

#include <string_view>

#include <maskgrad/autograd/plans/reduced.hpp>
#include <maskgrad/core/kernels/lines.hpp>

namespace maskgrad {

/// The lines along one axis of `x` (not meta), for operations that keep its shape and mask: an
/// inner axis, or the last mask axis, where a line is a sequence's valid steps in order. Throws
/// ShapeError; MaskError for another mask axis.
Reduced lines_along(std::string_view op, const Tensor& x, int axis);
/// The same checks alone, for meta tensors too.
int check_line_axis(std::string_view op, const Tensor& x, int axis);

/// A tensor like `x` made line by line: f(line of each input..., line of the result, n).
template <extend::Element T, std::size_t k, class F>
Tensor map_lines(const Reduced& lines, const Tensor& like, const std::array<const T*, k>& x,
                 F&& f) {
  Tensor y = rows::make(like.shape(), like.dtype(), like.mask());
  kernels::along_lines(lines.plan, x, rows::of_mutable<T>(y).data(), f);
  return y;
}

}  // namespace maskgrad
