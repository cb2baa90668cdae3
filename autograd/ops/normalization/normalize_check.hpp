#pragma once

#include <string_view>

#include <maskgrad/autograd/ops/normalization/normalize.hpp>

namespace maskgrad::check {

/// OptionError, TypeError, ShapeError or MaskError where x, epsilon and the affine do not fit.
void normalize(std::string_view op, const Tensor& x, double epsilon, const Affine& affine);

}  // namespace maskgrad::check

namespace maskgrad::detail {

/// x, whose rows are scaled by powers of 2 so that their squares, and 1 / their lengths, are
/// numbers with all digits; only where one needs it, and is longer than `least`.
Tensor squarable(const Tensor& x, double least);

}  // namespace maskgrad::detail
