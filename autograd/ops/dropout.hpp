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
Tensor dropout(const Tensor& x, double rate, Seed seed, bool whole_steps = false);

}  // namespace maskgrad
