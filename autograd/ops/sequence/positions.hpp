#pragma once

#include <vector>

#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

/// Where each step stands in its sequence, counted from `start`: its rank among the valid steps, so
/// that holes and padding on the left shift nothing.
/// Shapes:   x [batch, time, ...] -> i64 [batch, time].
/// Mask:     supports [batch, time] and [batch]: that of x.
/// Throws:   ShapeError below two axes; MaskError for a mask over further axes.
/// Example:  mg::positions(x);  // i64 [4, 5] under x's mask
Tensor positions(const Tensor& x, std::int64_t start = 0);

/// The sine and the cosine of each angle position * frequency[i] in turn, the position as
/// `positions` gives it: as many values a step as x has features, a frequency for each two.
/// Shapes:   x [batch, time, features] -> the same.
/// Mask:     supports [batch, time] and [batch]: that of x, of which nothing else is read.
/// Throws:   ShapeError, TypeError; MaskError for a mask over features.
/// Source:   Vaswani et al. 2017, arXiv:1706.03762.
/// Example:  mg::sine_positions(mg::flatten(heads, 2), {1, 0.1, 0.01, 0.001});  // [4, 5, 8]
Tensor sine_positions(const Tensor& x, const std::vector<double>& frequencies,
                      std::int64_t start = 0);
/// The same where `at` says the position of each step.
/// Shapes:   at i64 [batch, time] under x's mask.
/// Example:  const mg::Tensor flat = mg::flatten(heads, 2);
///           mg::sine_positions(flat, {1, 0.1, 0.01, 0.001}, mg::positions(flat, 100));
Tensor sine_positions(const Tensor& x, const std::vector<double>& frequencies, const Tensor& at);

/// Each pair of values (x[i], x[n + i]) of a step turned by the angle position * frequency[i], the
/// position as `positions` gives it; n frequencies for a last axis of 2 n values.
///   y[i] = x[i] cos - x[n + i] sin,  y[n + i] = x[n + i] cos + x[i] sin
/// Shapes:   x [batch, time, ..., 2 n] -> the same.
/// Mask:     supports [batch, time] and [batch]: that of x.
/// Gradient: dy turned back.
/// Throws:   ShapeError, TypeError; MaskError for a mask over further axes.
/// Source:   Su et al. 2021, RoFormer; the halves as in GPT-NeoX and KerasHub.
/// Example:  mg::rotate_by_position(heads, {1, 0.01});  // [4, 5, 2, 4]
Tensor rotate_by_position(const Tensor& x, const std::vector<double>& frequencies,
                          std::int64_t start = 0);
/// The same where `at` says the position of each step.
/// Shapes:   at i64 [batch, time] under x's mask.
/// Example:  mg::rotate_by_position(heads, {1, 0.01}, mg::positions(heads, 100));
Tensor rotate_by_position(const Tensor& x, const std::vector<double>& frequencies,
                          const Tensor& at);

}  // namespace maskgrad
