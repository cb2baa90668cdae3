#pragma once

#include <array>

#include <maskgrad/core/kernels/reduce.hpp>

namespace maskgrad::kernels {

/// Calls f(inputs, to, n) for every line of a reduction that reduces one axis: its n values of each
/// input side by side, in order, and room for n values that become the line's in `y`. Lines that
/// are not side by side are gathered and scattered, a few at a time so that memory is read in
/// order.
template <class T, std::size_t k, class F>
void along_lines(const Reduction& r, const std::array<const T*, k>& x, T* y, F&& f) {
  using namespace reduction;
  constexpr std::int64_t few = 16;
  const auto n = units(r);
  const auto shards = std::min(n, shard_count(values(r), elementwise_grain));
  parallel_for(shards, [&](std::int64_t s) {
    Pooled<T> buffer;
    for (auto i = shard_begin(n, shards, s); i < shard_begin(n, shards, s + 1); ++i) {
      const Unit u = unit(r, i);
      const auto length = r.meeting(u.group);
      std::array<const T*, k> from;
      if (r.solid() || (!r.wide && r.rows_of(u.group) * r.lines.count == 1)) {
        walk(r, u, 0, 1, [&](std::int64_t at, std::int64_t) {
          for (std::size_t j = 0; j < k; ++j) from[j] = x[j] + at;
          f(from, y + at, length);
        });
        continue;
      }
      if (buffer.size() < std::int64_t{k + 1} * few * length) {
        buffer = Pooled<T>(std::int64_t{k + 1} * few * length);
      }
      const auto line = [&](std::size_t j, std::int64_t c) {
        return buffer.data() + (static_cast<std::int64_t>(j) * few + c) * length;
      };
      for (std::int64_t column = 0; column < u.columns; column += few) {
        const auto columns = std::min(few, u.columns - column);
        const auto copy = [&](auto&& each) {
          std::int64_t t = 0;
          walk(r, u, 0, 1, [&](std::int64_t at, std::int64_t count) {
            const auto side = r.wide ? 1 : count;  // values of one line here
            for (std::int64_t v = 0; v < side; ++v, ++t) {
              for (std::int64_t c = 0; c < columns; ++c) each(at + column + v + c, c, t);
            }
          });
        };
        copy([&](std::int64_t at, std::int64_t c, std::int64_t t) {
          for (std::size_t j = 0; j < k; ++j) line(j, c)[t] = x[j][at];
        });
        for (std::int64_t c = 0; c < columns; ++c) {
          for (std::size_t j = 0; j < k; ++j) from[j] = line(j, c);
          f(from, line(k, c), length);
        }
        copy([&](std::int64_t at, std::int64_t c, std::int64_t t) { y[at] = line(k, c)[t]; });
      }
    }
  });
}

}  // namespace maskgrad::kernels
