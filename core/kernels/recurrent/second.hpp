#pragma once

#include <maskgrad/core/kernels/recurrent/recurrent.hpp>

namespace maskgrad::kernels {

/// A direction in which a call's arguments move; null: not at all.
template <class T>
struct RecurrentDirection {
  const T *x = nullptr, *kernel = nullptr, *recurrent_kernel = nullptr, *bias = nullptr;
  const T *h0 = nullptr, *c0 = nullptr;
};

/// How what a call gives, and the gradients that its backward gives, change along a direction.
/// Null: not wanted. All are written, not added to.
template <class T>
struct RecurrentChange {
  T *out = nullptr, *h = nullptr, *c = nullptr;  ///< of the results
  T *dx = nullptr, *dkernel = nullptr, *drecurrent_kernel = nullptr, *dbias = nullptr;
  T *dh0 = nullptr, *dc0 = nullptr;
};

/// The second derivative of a recurrence, along one direction: both passes with what moves carried
/// along. With u for a direction and g for the gradients (of `dy`, which stays), it gives J u and
/// d(J^T dy)/du, which is what comes to dy and to the arguments from the gradients u of g.
/// `backward` is as recurrent_backward reads it (its gradients are not written): what forward kept
/// is read, but for what `recompute` left out, which is made again. Same for any number of threads.
template <class T>
void recurrent_second(const RecurrentProblem<T>& problem, const RecurrentBackward<T>& backward,
                      const RecurrentDirection<T>& direction, const RecurrentChange<T>& change);

}  // namespace maskgrad::kernels
