#pragma once

#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

/// How windows lie on a sequence, as Keras means it: `valid` inside it, `same` with zeros around it
/// (the odd one at the end), `causal` with zeros before it.
enum class Padding { valid, same, causal };

struct WindowOptions {
  std::int64_t width = 1;
  std::int64_t stride = 1;
  Padding padding = Padding::valid;
  std::int64_t dilation = 1;
};

/// The windows of each sequence, each sequence by itself, its valid steps side by side; `fill`
/// where a window reaches over its ends.
/// Shapes:   x [batch, time, features] -> [batch, windows, width, features].
/// Mask:     supports [batch, time]: where the length stays (stride 1 and `same`, `causal` or a
///           width of 1) a window stands at its own step; else window k at step k, and the mask
///           follows from the new lengths.
/// Gradient: each step gets the sum over the windows that it is in.
/// Throws:   ShapeError, OptionError, MaskError (a mask over features), TypeError.
/// Example:  mg::windows(x, {.width = 3, .padding = mg::Padding::causal});  // [4, 5, 3, 3]
Tensor windows(const Tensor& x, const WindowOptions& options, double fill = 0);

/// How many steps of the sequence each window holds, what reaches over its ends not counted.
/// Shapes:   x [batch, time, features] -> [batch, windows, 1], of x's type.
/// Mask, Throws: as windows. Gradient: none.
/// Example:  mg::window_sizes(x, {.width = 3, .padding = mg::Padding::same});  // [4, 5, 1]
Tensor window_sizes(const Tensor& x, const WindowOptions& options);

}  // namespace maskgrad
