#pragma once

#include <algorithm>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/core/kernels/add_to.hpp>

/// What normalizations go over.
namespace maskgrad::normalization {

/// Lines of features that are normalized together: segment s is lines first(s) ... + length(s), and
/// each group of its features by itself.
struct Cells {
  std::int64_t segments = 0, features = 0, groups = 1;
  Index firsts, lengths;  ///< none: a segment is a line
  std::int64_t first(std::int64_t s) const { return firsts.empty() ? s : firsts[s]; }
  std::int64_t length(std::int64_t s) const { return lengths.empty() ? 1 : lengths[s]; }
  std::int64_t width() const { return features / groups; }
  std::int64_t shards() const {
    std::int64_t lines = segments;
    if (!lengths.empty() && segments > 0) lines = firsts[segments - 1] + lengths[segments - 1];
    return std::min(std::max<std::int64_t>(segments, 1),
                    shard_count(lines * features, kernels::elementwise_grain));
  }
};

/// f(place of the first value, number) for the pieces of a cell, a line each.
template <class F>
void each_line(const Cells& c, std::int64_t segment, std::int64_t group, F&& f) {
  const auto first = c.first(segment), w = c.width();
  for (std::int64_t line = first; line < first + c.length(segment); ++line) {
    f(line * c.features + group * w);
  }
}

/// f(segment, shard) over all segments that have lines, in fixed shards of them.
template <class F>
void each_segment(const Cells& c, F&& f) {
  const auto shards = c.shards();
  parallel_for(shards, [&](std::int64_t shard) {
    const auto end = shard_begin(c.segments, shards, shard + 1);
    for (auto s = shard_begin(c.segments, shards, shard); s < end; ++s) {
      if (c.length(s) > 0) f(s, shard);
    }
  });
}

/// f(segment, group, shard) over all cells.
template <class F>
void each_cell(const Cells& c, F&& f) {
  each_segment(c, [&](std::int64_t s, std::int64_t shard) {
    for (std::int64_t g = 0; g < c.groups; ++g) f(s, g, shard);
  });
}

/// The sums of all shards, in their order, as a gradient [features].
template <class T>
Tensor joined(const Pooled<double>& sums, std::int64_t shards, std::int64_t features) {
  const Tensor total = rows::make({features}, dtype_of<T>());
  T* to = rows::of_mutable<T>(total).data();
  for (std::int64_t f = 0; f < features; ++f) {
    double s = 0;
    for (std::int64_t shard = 0; shard < shards; ++shard) s += sums[shard * features + f];
    to[f] = static_cast<T>(s);
  }
  return total;
}

}  // namespace maskgrad::normalization
