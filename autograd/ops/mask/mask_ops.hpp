#pragma once

#include <string_view>

#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

/// x under a mask: its valid rows are gathered, the others cease to exist.
/// Shapes:   the mask's shape is a prefix of x's.
/// Mask:     produces; the AND of both where x has one.
/// Gradient: zero where the mask is false.
/// Throws:   MaskError where the shapes do not fit.
/// Example:  mg::with_mask(padded, mg::Mask::from_lengths({5, 3, 1, 4}));  // [4, 5, 3]
Tensor with_mask(const Tensor& x, const Mask& mask);

/// The dense tensor, `fill` where the mask was false; the one way to end a mask by hand.
/// Mask:     consumes. Gradient: taken at valid positions.
/// Throws:   OptionError without a reason.
/// Example:  mg::drop_mask(x, "a convolution is to see zeros");  // [4, 5, 3] without a mask
Tensor drop_mask(const Tensor& x, std::string_view reason, double fill = 0);

/// The same values; nothing behind them gets a gradient.
/// Example:  mg::mean_squared_error(mg::stop_gradient(model(y)), model(x)).backward();
Tensor stop_gradient(const Tensor& x);

}  // namespace maskgrad
