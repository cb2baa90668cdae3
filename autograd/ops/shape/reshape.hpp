#pragma once

#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

/// The same values in the same order under another shape; shares them. One size may be -1: what is
/// left. In a tensor without data -1 (mg::any) also keeps a size free.
/// Mask:     mask axes are merged and split among themselves, inner axes among themselves. Where
///           several cuts fit, the mask keeps its shape, or takes as few axes as it can.
/// Gradient: dy under the shape of x.
/// Throws:   ShapeError where the number of values differs; MaskError where an axis of the result
///           would lie across the boundary of the mask.
/// Example:  mg::reshape(heads, {4, 5, -1});  // [4, 5, 8] under the mask of heads
Tensor reshape(const Tensor& x, const Shape& shape);

/// Axes `from` to `to`, both included, as one.
/// Mask:     as reshape. Gradient: dy under the shape of x.
/// Throws:   ShapeError for axes out of range or order; MaskError across the boundary of the mask.
/// Example:  mg::flatten(heads, 2);  // [4, 5, 8]
Tensor flatten(const Tensor& x, int from = 1, int to = -1);

/// A new axis of size 1 before axis `axis`; -1: behind the last.
/// Mask:     an axis before the last mask axis becomes a mask axis; else it is an inner axis.
/// Gradient: dy under the shape of x. Throws: ShapeError.
/// Example:  mg::expand_dims(x, -1);  // [4, 5, 3, 1]
Tensor expand_dims(const Tensor& x, int axis);

/// Without axis `axis`, which must have size 1; also where it is a mask axis.
/// Mask:     over the axes that stay. Gradient: dy under the shape of x. Throws: ShapeError.
/// Example:  mg::squeeze(mg::sum(x, -1, true), -1);  // [4, 5]
Tensor squeeze(const Tensor& x, int axis);

}  // namespace maskgrad
