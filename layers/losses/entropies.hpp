#pragma once

#include <maskgrad/autograd/ops/loss/entropy_kernels.hpp>
#include <maskgrad/core/tensor.hpp>

/// What cross entropies and their focal forms are made of.
namespace maskgrad::losses {

inline constexpr double epsilon = row_loss::entropy_epsilon;

/// log(p) and log(1 - p) of probabilities that are kept epsilon away from 0 and 1, with all digits
/// at both ends, where f32 does not have 1 - epsilon.
Tensor log_clipped(const Tensor& p);
Tensor log_clipped_rest(const Tensor& p);

/// Label smoothing: `share` of a target's weight goes to `towards`. OptionError outside [0, 1].
Tensor smooth(std::string_view name, const Tensor& target, double share, double towards);

/// Value by value, from logits or probabilities.
Tensor binary_entropy(const Tensor& target, const Tensor& prediction, bool from_logits);

/// Along the last axis, from logits or probabilities.
Tensor log_probabilities(const Tensor& prediction, bool from_logits);

/// 1 / classes.
double one_of_classes(const Tensor& x);

}  // namespace maskgrad::losses
