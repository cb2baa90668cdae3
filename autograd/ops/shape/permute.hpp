#pragma once

#include <initializer_list>
#include <span>

#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

/// Axis i of the result is axis order[i] of x; negative ones count from the back.
/// Mask:     its axes are permuted among themselves, inner axes among themselves.
/// Gradient: dy permuted back.
/// Throws:   ShapeError where `order` does not name each axis once; MaskError across the boundary
///           of the mask.
/// Example:  mg::permute(heads, {0, 1, 3, 2});  // [4, 5, 4, 2]
Tensor permute(const Tensor& x, std::span<const int> order);
Tensor permute(const Tensor& x, std::initializer_list<int> order);

/// Axes `a` and `b` exchanged; mask, gradient and errors as permute.
/// Example:  mg::transpose(padded, 1, 2);  // [4, 3, 5]
Tensor transpose(const Tensor& x, int a, int b);
/// Axis `from` put at place `to`, the others in their order; mask, gradient and errors as permute.
/// Example:  mg::moveaxis(heads, 3, 2);  // [4, 5, 4, 2]
Tensor moveaxis(const Tensor& x, int from, int to);

}  // namespace maskgrad
