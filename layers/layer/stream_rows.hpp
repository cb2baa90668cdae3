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

/// Whether tensors of sequences are the same but for how many, and for the number of their steps.
bool are_alike(const Tensors& parts);
/// The sequences of the first, then those of the next: of tensors that are alike. Cuts gradients.
Tensor one_behind_other(const Tensors& parts);

/// Of several pushes, one after the other, what one push gives.
Tensors put_together(const std::vector<Tensors>& pushes, bool so_far);

}  // namespace maskgrad::detail
