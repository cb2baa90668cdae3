#pragma once

#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

/// Functions of one value, as NumPy names and defines them.
/// Shapes:   the result has the shape of x.
/// Mask:     propagates. Gradient: dy times the derivative, given where it is not the usual one.
/// Throws:   TypeError for other types than f32 and f64 (abs, sign and square take i64 too).
/// Example:  mg::log1p(mg::square(x));  // [4, 5, 3] under x's mask
Tensor abs(const Tensor& x);   ///< derivative 0 at 0
Tensor sign(const Tensor& x);  ///< -1, 0 or 1; derivative 0
Tensor square(const Tensor& x);
Tensor sqrt(const Tensor& x);
Tensor rsqrt(const Tensor& x);  ///< 1 / sqrt(x)
Tensor reciprocal(const Tensor& x);
Tensor exp(const Tensor& x);
Tensor exp2(const Tensor& x);
Tensor expm1(const Tensor& x);
Tensor log(const Tensor& x);
Tensor log1p(const Tensor& x);
Tensor log2(const Tensor& x);
Tensor log10(const Tensor& x);
Tensor sin(const Tensor& x);
Tensor cos(const Tensor& x);
Tensor tan(const Tensor& x);
Tensor asin(const Tensor& x);
Tensor acos(const Tensor& x);
Tensor atan(const Tensor& x);
Tensor sinh(const Tensor& x);
Tensor cosh(const Tensor& x);
Tensor tanh(const Tensor& x);
Tensor asinh(const Tensor& x);
Tensor acosh(const Tensor& x);
Tensor atanh(const Tensor& x);
Tensor erf(const Tensor& x);
/// Whole numbers below, above, nearest (a half goes to the even one) and towards 0; derivative 0.
/// Example:  mg::round(x);
Tensor floor(const Tensor& x);
Tensor ceil(const Tensor& x);
Tensor round(const Tensor& x);
Tensor trunc(const Tensor& x);

/// The values moved into [low, high]; f32, f64 or i64.
/// Mask:     propagates. Gradient: dy where low <= x <= high, else 0.
/// Throws:   OptionError unless low <= high; TypeError for bool.
/// Example:  mg::clip(x, -1, 1);
Tensor clip(const Tensor& x, double low, double high);

/// Truth values, element by element; masks propagate, no gradient. TypeError unless f32 or f64.
/// Example:  mg::any_true(mg::isnan(x)).item();  // 0
Tensor isnan(const Tensor& x);
Tensor isinf(const Tensor& x);
Tensor isfinite(const Tensor& x);

/// Logic on truth values. Two tensors broadcast, and their masks combine, as in arithmetic.
/// Throws:   TypeError unless bool; ShapeError.
/// Example:  mg::logical_and(mg::greater(x, -1), mg::less(x, 1));
Tensor logical_not(const Tensor& x);
Tensor logical_and(const Tensor& a, const Tensor& b);
Tensor logical_or(const Tensor& a, const Tensor& b);
Tensor logical_xor(const Tensor& a, const Tensor& b);

}  // namespace maskgrad
