#pragma once

#include <maskgrad/autograd/ops/sequence/recurrent.hpp>
#include <maskgrad/autograd/plans/sequences.hpp>

namespace maskgrad::detail {

/// What `recurrent` gives, made step by step of other operations: for its second derivative.
/// `weights`, `initial` and x are as `recurrent` has checked them; `sequences` are those of x.
RecurrentResult recurrent_by_steps(kernels::Cell cell, bool reset_after, bool go_backwards,
                                   const Sequences& sequences, const Tensor& x,
                                   const RecurrentWeights& weights, const RecurrentState& initial);

}  // namespace maskgrad::detail
