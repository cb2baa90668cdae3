#pragma once

#include <maskgrad/autograd/axes.hpp>
#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

// Reductions over any axes: inner ones, mask axes, or both; all of them by default. With `keepdims`
// a reduced axis stays with size 1. Only valid rows count. Sums are made in f64 (i64 in i64), in an
// order that does not depend on the number of threads.
// Mask: inner axes alone: propagates. Over mask axes, what is defined for no value at all has no
// mask; what is not has a mask over the mask axes that are left (of rank 0 when none is), true
// where there is a result, which is dropped where it would be all true.

/// The sum; of nothing 0. f32, f64, i64.
/// Gradient: dy. Throws: ShapeError for an axis out of range; TypeError for bool.
/// Example:  mg::sum(x, 1);  // [4, 3], over each sequence's valid steps
Tensor sum(const Tensor& x, const Axes& axes = {}, bool keepdims = false);
/// The product; of nothing 1. f32, f64, i64.
/// Gradient: dy times the product of the others, right where some are 0.
/// Example:  mg::product(x, -1);  // [4, 5] under x's mask
Tensor product(const Tensor& x, const Axes& axes = {}, bool keepdims = false);
/// sum / count; of nothing it does not exist. f32, f64.
/// Example:  mg::mean(x).item();  // over 13 steps of 3 values
Tensor mean(const Tensor& x, const Axes& axes = {}, bool keepdims = false);
/// The mean of (x - mean)^2, over count - ddof; masked where count <= ddof. f32, f64.
/// Throws: OptionError for ddof below 0.
/// Example:  mg::variance(x, {0, 1}, false, 1);  // [3]
Tensor variance(const Tensor& x, const Axes& axes = {}, bool keepdims = false, int ddof = 0);
/// Its square root; the gradient is 0 where it is 0.
/// Example:  mg::std_deviation(x, -1);
Tensor std_deviation(const Tensor& x, const Axes& axes = {}, bool keepdims = false, int ddof = 0);
/// log(sum(exp(x))), without overflow; of nothing it does not exist. f32, f64.
/// Gradient: dy exp(x - y); 0 for x = -infinity, also where all are.
/// Example:  mg::logsumexp(x, -1, true);  // [4, 5, 1]
Tensor logsumexp(const Tensor& x, const Axes& axes = {}, bool keepdims = false);

/// The Euclidean norm, sqrt(sum(x^2)); of nothing 0. f32, f64; exact to rounding at the largest and
/// the smallest numbers. Gradient: dy x / y; 0 where all x are 0.
/// Example:  mg::norm(x, -1);
Tensor norm(const Tensor& x, const Axes& axes = {}, bool keepdims = false);

/// The greatest and least value; of nothing they do not exist; NaN where there is one. f32, f64,
/// i64. Gradient: dy, in equal parts to all that are greatest, as PyTorch's amax.
/// Example:  mg::max(x, 1);  // [4, 3]
Tensor max(const Tensor& x, const Axes& axes = {}, bool keepdims = false);
Tensor min(const Tensor& x, const Axes& axes = {}, bool keepdims = false);
/// Where the first of them stands, i64: its index along the reduced axis (of the padded tensor), or
/// its flat index over all of them, as NumPy's. The first NaN counts as greatest, and as least.
/// Example:  mg::argmax(x, -1);  // i64 [4, 5]
Tensor argmax(const Tensor& x, const Axes& axes = {}, bool keepdims = false);
Tensor argmin(const Tensor& x, const Axes& axes = {}, bool keepdims = false);

/// Whether any, or all, are true; of nothing false, and true. TypeError unless bool.
/// Example:  mg::any_true(mg::greater(x, 3), 1);  // bool [4, 3]
Tensor any_true(const Tensor& x, const Axes& axes = {}, bool keepdims = false);
Tensor all_true(const Tensor& x, const Axes& axes = {}, bool keepdims = false);
/// How many values a sum over these axes adds, i64.
/// Example:  mg::count_valid(x, 1);  // i64 [4, 3]: 5, 3, 1 and 4
Tensor count_valid(const Tensor& x, const Axes& axes = {}, bool keepdims = false);

}  // namespace maskgrad
