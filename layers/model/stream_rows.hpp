#pragma once

#include <vector>

#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/layers/layer/spec.hpp>

/// Rows of what a stream keeps of its sequences: [sequences, ...], without a mask, under one over
/// sequences, or under one over their steps.
namespace maskgrad::detail {

/// The rows of those sequences are cleared, as others begin anew: zeros, or no steps.
Tensor cleared(const Tensor& kept, const std::vector<bool>& sequences);

/// Sequence i is that of number `from[i]`, some of them perhaps twice. The mask is one of its own.
Tensor reordered(const Tensor& kept, const std::vector<std::int64_t>& from);

/// The sequences of a, then those of b, which may be of another length. ShapeError, which begins
/// with `where`, unless the two are alike but for that.
Tensor one_after_another(std::string_view where, const Tensor& a, const Tensor& b);

/// Of several pushes, one after the other, what one push gives.
Tensors put_together(const std::vector<Tensors>& pushes, bool so_far);

}  // namespace maskgrad::detail
