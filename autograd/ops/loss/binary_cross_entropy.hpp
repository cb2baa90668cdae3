#pragma once

#include <maskgrad/core/tensor.hpp>

namespace maskgrad::detail {

/// -(t log p + (1 - t) log(1 - p)) with p = sigmoid(x), value by value, for any x without overflow:
/// y = |x| (1 - t, or t below 0) + log(1 + exp(-|x|)). What has the weight 0 is not read.
/// Shapes:   targets and logits of one shape; so is the result.
/// Mask:     propagates; the result is valid where both are.
/// Gradient: of the logits: dy (sigmoid(x) - t); of the targets: -dy x.
/// Throws:   ShapeError (nothing is broadcast), TypeError.
/// Example:  mg::detail::binary_cross_entropy(onehot, model(x));  // [4, 5, 3]
Tensor binary_cross_entropy(const Tensor& targets, const Tensor& logits);

}  // namespace maskgrad::detail
