#pragma once

#include <maskgrad/core/kernels/attention.hpp>

namespace maskgrad::kernels {

/// A direction in which a call's arguments move; null: not at all.
template <class T>
struct AttentionDirection {
  const T *q = nullptr, *k = nullptr, *v = nullptr, *bias = nullptr;
};

/// How the result, and the gradients that backward gives, change along a direction: each is added
/// to what stands there, but for y, which is written. Null: not wanted.
template <class T>
struct AttentionChange {
  T *y = nullptr, *dq = nullptr, *dk = nullptr, *dv = nullptr, *dbias = nullptr;
};

/// Whether all that the second derivative reads is finite, or a bias that hides its pair.
template <class T>
bool attention_second_fits(const AttentionProblem<T>& p, const AttentionBackward<T>& g,
                           const AttentionDirection<T>& u, std::int64_t bias_values);

/// The second derivative of attention along one direction, of values that fit: J u, and how the
/// gradients of dy, which stays, change. Of `g` that is y, log_sum and dy; block by block, as
/// forward and backward.
template <class T>
void attention_second(const AttentionProblem<T>& p, const AttentionBackward<T>& g,
                      const AttentionDirection<T>& u, const AttentionChange<T>& change);

}  // namespace maskgrad::kernels
