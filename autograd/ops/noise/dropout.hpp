#pragma once

#include <maskgrad/autograd/noise.hpp>
#include <maskgrad/core/random.hpp>

namespace maskgrad {

/// Each value is 0 with probability `rate`, else divided by 1 - rate; x itself under Evaluate.
/// Shapes:   any; axis 0 counts sequences, axis 1 steps, the others features. With
///           `whole_steps`, a feature is dropped over a whole sequence or not at all.
/// Mask:     propagates. What is drawn depends on `seed`, the thread's noise position, the
///           sequence, the rank among its valid steps and the feature: never on padding.
/// Gradient: the same values are dropped and scaled.
/// Throws:   OptionError where rate is not in [0, 1).
/// Source:   Srivastava et al. 2014, Dropout.
/// Example:  mg::dropout(x, 0.1, mg::Seed{1}, true);
Tensor dropout(const Tensor& x, double rate, Seed seed, bool whole_steps = false);

/// The same with the lowest value of selu in the place of 0, scaled and moved so that normal values
/// keep their mean and variance.
/// Source:   Klambauer et al. 2017, arXiv:1706.02515.
/// Example:  mg::alpha_dropout(mg::selu(x), 0.1, mg::Seed{1});
Tensor alpha_dropout(const Tensor& x, double rate, Seed seed, bool whole_steps = false);

/// Each value times a normal number of mean 1 and variance rate / (1 - rate); x itself under
/// Evaluate. Shapes, mask, gradient and errors as dropout.
/// Source:   Srivastava et al. 2014.
/// Example:  mg::gaussian_dropout(x, 0.1, mg::Seed{1});
Tensor gaussian_dropout(const Tensor& x, double rate, Seed seed);

/// Each value plus a normal number of mean 0; x itself under Evaluate. Shapes and mask as dropout.
/// Gradient: dy.
/// Throws:   OptionError where stddev is below 0.
/// Example:  mg::gaussian_noise(x, 0.1, mg::Seed{1});
Tensor gaussian_noise(const Tensor& x, double stddev, Seed seed);

}  // namespace maskgrad
