#pragma once

#include <maskgrad/core/tensor.hpp>

/// What cross entropies and their focal forms are made of.
namespace maskgrad::losses {

inline constexpr double epsilon = 1e-7;  // Keras's

/// Probabilities kept away from 0 and 1, so that their logarithms are finite.
Tensor clipped(const Tensor& p);

/// Label smoothing: `share` of a target's weight goes to `towards`. OptionError outside [0, 1].
Tensor smooth(std::string_view name, const Tensor& target, double share, double towards);

/// Value by value, from logits or probabilities.
Tensor binary_entropy(const Tensor& target, const Tensor& prediction, bool from_logits);

/// Along the last axis, from logits or probabilities.
Tensor log_probabilities(const Tensor& prediction, bool from_logits);

/// 1 / classes.
double one_of_classes(const Tensor& x);

}  // namespace maskgrad::losses
