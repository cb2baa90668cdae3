#pragma once

#include <algorithm>

#include <maskgrad/core/kernels/recurrent/layout.hpp>
#include <maskgrad/core/kernels/recurrent/plan.hpp>
#include <maskgrad/core/threads.hpp>

namespace maskgrad::kernels::recurrent {

struct Range {
  std::int64_t begin;
  std::int64_t end;
};

/// f(range) over `items` that all weights are cut into; small weights stay on one thread: waking
/// others would cost more.
template <class F>
void each_part(const Sizes& s, std::int64_t items, F f) {
  const std::int64_t weights = (s.features + s.units) * s.gates * s.units;
  const std::int64_t shards =
      std::min(items, std::min<std::int64_t>(8, extend::shard_count(weights, 1 << 15)));
  extend::parallel_for(shards, [&](std::int64_t shard) {
    f(Range{extend::shard_begin(items, shards, shard),
            extend::shard_begin(items, shards, shard + 1)});
  });
}

/// Weights packed into panels, once a call: for forward, or transposed for backward. Weights that
/// are null, as those that do not move may be, are left out.
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
