#pragma once

#include <optional>

#include <maskgrad/autograd/ops/sequence/windows.hpp>

namespace maskgrad {

/// How windows lie on the steps that they add up to: as in a strided convolution read backwards.
struct OverlapOptions {
  std::int64_t stride = 1;
  Padding padding = Padding::valid;  ///< or `same`: the ends are cut, the shorter part at the front
  std::int64_t dilation = 1;
  std::optional<std::int64_t> output_padding = {};  ///< further steps at the end
};

/// Windows put on top of each other and added: value j of window k goes to step
/// k * stride + j * dilation, less what `same` cuts at the front.
/// Shapes:   x [batch, windows, width, features] -> [batch, steps, features]; with span = (width -
///           1) * dilation + 1 `valid` gives (windows - 1) * stride + max(span, stride), `same`
///           windows * stride steps; with output_padding (windows - 1) * stride + span, or span %
///           2, and the padding. No windows give no steps.
/// Mask:     propagates [batch]; refuses one over the windows.
/// Gradient: each value gets dy of the step that it went to.
/// Throws:   ShapeError, OptionError, MaskError.
/// Source:   Keras 3, conv_transpose.
/// Example:  mg::overlap_add(mg::windows(padded, {.width = 2}), {.stride = 1});  // [4, 5, 3]
Tensor overlap_add(const Tensor& x, const OverlapOptions& options);

}  // namespace maskgrad
