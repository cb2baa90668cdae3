#pragma once

#include <functional>
#include <span>

#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

/// What follows a normalization: y gamma + beta, one of each a feature; undefined: 1 and 0.
struct Affine {
  Tensor gamma, beta;
};

/// The last axis of each line by its own mean and variance: (x - mean) / sqrt(variance + epsilon)
/// gamma + beta; without `center` x / sqrt(mean(x^2) + epsilon) gamma + beta.
/// Shapes:   x [..., features], gamma and beta [features].
/// Mask:     propagates; refuses one over features.
/// Gradient: of x, gamma and beta, through the statistics too.
/// Throws:   OptionError for an epsilon of 0 or less; ShapeError, TypeError, MaskError.
/// Source:   Ba et al. 2016; Zhang and Sennrich 2019.
/// Example:  mg::layer_normalize(x, 1e-5, {mg::ones({3}), mg::zeros({3})});
Tensor layer_normalize(const Tensor& x, double epsilon, const Affine& affine = {},
                       bool center = true);

/// The last axis of each line as a vector of length 1: x / max(|x|, least).
/// Shapes:   x [..., features].
/// Mask:     propagates; refuses one over features.
/// Gradient: through the length too, where it is above `least`.
/// Throws:   OptionError for a `least` of 0 or less; TypeError, MaskError.
/// Example:  mg::unit_normalize(x, 1e-12);
Tensor unit_normalize(const Tensor& x, double least);

/// The same by the mean and variance of a group of neighboring features over all valid steps of a
/// sequence; of [batch, features] over the features.
/// Shapes:   x [batch, ..., features]; the features split into `groups`.
/// Mask:     supports [batch, time]; refuses one over features.
/// Throws:   as layer_normalize; OptionError where the groups do not fit.
/// Source:   Wu and He 2018.
/// Example:  mg::group_normalize(x, 3, 1e-5);  // [4, 5, 3]
Tensor group_normalize(const Tensor& x, std::int64_t groups, double epsilon,
                       const Affine& affine = {});

struct BatchResult {
  Tensor y;
  Tensor mean, variance;   ///< [features], not on the tape; the variance is the biased one
  std::int64_t count = 0;  ///< values that each is over: of 0 they say nothing
};
/// Each feature by its mean and (biased) variance over all valid rows.
/// Shapes:   x [..., features].
/// Mask:     supports; refuses one over features.
/// Gradient, Throws: as layer_normalize.
/// Source:   Ioffe and Szegedy 2015.
/// Example:  mg::batch_normalize(x, 1e-3).count;  // 13
BatchResult batch_normalize(const Tensor& x, double epsilon, const Affine& affine = {});

namespace detail {
/// Adds to the values that it gets those of other tensors, and gives the sum to all.
using SumOver = std::function<void(std::span<double>)>;
/// The same over the rows of several tensors that are normalized at the same time, each by a call
/// of its own; backward comes together once more, and has first gradients alone.
BatchResult batch_normalize(const Tensor& x, double epsilon, const Affine& affine,
                            const SumOver& sum_over);
}  // namespace detail

}  // namespace maskgrad
