#pragma once

#include <maskgrad/core/tensor.hpp>

namespace maskgrad::detail {

/// Minus the log probability of a class: y = log(sum over c of exp(x[c])) - x[id].
/// Shapes:   ids [...] i64, logits [..., classes] -> [...].
/// Mask:     propagates; the result is valid where both are. Ids are read where they are valid.
/// Gradient: of the logits: dy (softmax(x) - onehot(id)).
/// Throws:   ShapeError, TypeError, MaskError (a mask over classes), IndexError for an id that is
///           no class, with its position.
/// Example:  mg::detail::sparse_cross_entropy(labels, model(x));  // [4, 5]
Tensor sparse_cross_entropy(const Tensor& ids, const Tensor& logits);

}  // namespace maskgrad::detail
