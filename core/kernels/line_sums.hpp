#pragma once

#include <algorithm>

#include <maskgrad/core/kernels/add_to.hpp>
#include <maskgrad/core/kernels/simd/lines.hpp>
#include <maskgrad/core/pooled.hpp>

namespace maskgrad::kernels {

/// Sums value by value, in f64, what `part` adds to a line of `width` sums, for each of `parts`
/// fixed parts on threads: to = the sums, or to + them where it is not `fresh`.
template <class T, class Part>
void sum_parts(std::int64_t parts, std::int64_t width, T* to, bool fresh, Part&& part) {
  extend::Pooled<double> sums(parts * width);
  extend::parallel_for(parts, [&](std::int64_t p) {
    double* own = sums.data() + p * width;
    std::fill_n(own, width, 0.0);
    part(p, own);
  });
  for (std::int64_t j = 0; j < width; ++j) {
    double sum = 0;
    for (std::int64_t p = 0; p < parts; ++p) sum += sums[p * width + j];
    to[j] = static_cast<T>(fresh ? sum : static_cast<double>(to[j]) + sum);
  }
}

/// Parts of `lines` lines of `width` values that pay for a thread and for sums of their own.
inline std::int64_t line_parts(std::int64_t lines, std::int64_t width) {
  const auto most =
      std::min<std::int64_t>(16, extend::shard_count(lines * width, elementwise_grain));
  return std::clamp<std::int64_t>(lines, 1, most);
}

/// to [width] = the sum of x [lines, width] over its lines, or that added to it.
template <class T>
void sum_lines(const T* x, std::int64_t lines, std::int64_t width, T* to, bool fresh) {
  const auto parts = line_parts(lines, width);
  sum_parts(parts, width, to, fresh, [&](std::int64_t part, double* sums) {
    const auto end = extend::shard_begin(lines, parts, part + 1);
    for (auto i = extend::shard_begin(lines, parts, part); i < end; ++i) {
      simd::lines<T>().add_sums(x + i * width, sums, width);
    }
  });
}

}  // namespace maskgrad::kernels
