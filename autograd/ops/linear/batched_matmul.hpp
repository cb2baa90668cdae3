#pragma once

#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

/// A matrix product for each index of the leading axes: y = a b, a or b read transposed on request.
/// Shapes:   a [..., m, k] (transposed: [..., k, m]), b [..., k, n] (transposed: [..., n, k]) ->
///           [..., m, n]; leading axes broadcast as NumPy does, aligned at the last of them.
/// Mask:     propagates one over leading axes: each is broadcast, valid where both are. Over an
///           axis of the matrices it is refused.
/// Gradient: da = dy b^T, db = a^T dy, summed over leading axes that were broadcast.
/// Throws:   ShapeError, TypeError, MaskError.
/// Example:  mg::batched_matmul(padded, padded, false, true);  // [4, 5, 5]
Tensor batched_matmul(const Tensor& a, const Tensor& b, bool transpose_a = false,
                      bool transpose_b = false);

}  // namespace maskgrad
