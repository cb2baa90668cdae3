#pragma once

#include <maskgrad/autograd/adjoint.hpp>
#include <maskgrad/autograd/plans/sequences.hpp>

namespace maskgrad::detail {

/// The gradients of a linear recurrence as operations: another one, in the other direction, of the
/// gradients that come in. `h`: all states, undefined where a has no gradient.
void tell_linear_recurrence(const Sequences& sequences, bool backwards, const Tensor& a,
                            const Tensor& initial, const Tensor& h, Adjoint& grads);

}  // namespace maskgrad::detail
