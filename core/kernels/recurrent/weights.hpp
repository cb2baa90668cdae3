#pragma once

#include <maskgrad/core/kernels/recurrent/layout.hpp>
#include <maskgrad/core/kernels/recurrent/plan.hpp>

namespace maskgrad::kernels::recurrent {

struct Range {
  std::int64_t begin;
  std::int64_t end;
};

/// Weights packed into panels, once a call: for forward, or transposed for backward.
template <class T>
Packed<T> take_packed(Arena& arena, const Sizes& sizes, bool transposed);
template <class T>
void pack_panels(const RecurrentProblem<T>& problem, const Sizes& sizes, const Packed<T>& packed,
                 Range panels);

/// One vector of columns of the transposed weights: those of the recurrent kernel first, then,
/// from Sizes::panels on, those of the kernel. Where the scan's weights are odd, their finite part.
template <class T>
void pack_transposed_columns(const Scan<T>& scan, std::int64_t column);

/// The shards' gradients, summed in the shards' order, in the layout of the weights.
template <class T>
void sum_panels(const RecurrentBackward<T>& gradient, const Sizes& sizes, const Workspace<T>* work,
                Range panels);

}  // namespace maskgrad::kernels::recurrent
