#pragma once

#include <maskgrad/core/kernels/attention.hpp>

namespace maskgrad::kernels {

/// As attention_forward, without bias and noise, for few queries of long sequences: each reads its
/// keys and values once, as they stand. A value whose weight is 0 is not read.
template <class T>
void attention_decode(const AttentionProblem<T>& p, T* y);

}  // namespace maskgrad::kernels
