#pragma once

#include <cstdint>
#include <span>

#include <maskgrad/core/threads.hpp>

namespace maskgrad::kernels {

/// Least values for which a thread of its own pays in a pass over memory.
inline constexpr std::int64_t elementwise_grain = 32768;

/// Calls f(from, to) over fixed parts of [0, n).
template <class F>
void over_parts(std::int64_t n, F&& f) {
  const auto shards = extend::shard_count(n, elementwise_grain);
  extend::parallel_for(shards, [&](std::int64_t s) {
    f(extend::shard_begin(n, shards, s), extend::shard_begin(n, shards, s + 1));
  });
}

/// to += x.
template <class T>
void add_to(std::span<const T> x, std::span<T> to) {
  over_parts(static_cast<std::int64_t>(to.size()), [&](std::int64_t from, std::int64_t end) {
    for (auto i = static_cast<std::size_t>(from); i < static_cast<std::size_t>(end); ++i) {
      to[i] += x[i];
    }
  });
}

}  // namespace maskgrad::kernels
