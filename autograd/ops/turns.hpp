#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

namespace maskgrad {

/// Calls f(place, frequency's number, cos, sin), in f64, of the angles position * frequency for
/// `count` positions from `first`. Every 32nd position is computed as such, those behind it by
/// turning on from there, which is as exact and much cheaper; a position's values do not depend on
/// where the range begins.
template <class F>
void each_turn(std::int64_t first, std::int64_t count, const std::vector<double>& frequencies,
               F&& f) {
  constexpr std::int64_t block = 32;
  const auto end = first + count;
  const auto first_anchor = first - ((first % block) + block) % block;
  for (std::size_t k = 0; k < frequencies.size(); ++k) {
    const double step_cos = std::cos(frequencies[k]), step_sin = std::sin(frequencies[k]);
    for (auto anchor = first_anchor; anchor < end; anchor += block) {
      const double angle = static_cast<double>(anchor) * frequencies[k];
      double c = std::cos(angle), s = std::sin(angle);
      for (auto p = anchor; p < anchor + block && p < end; ++p) {
        if (p >= first) f(p - first, static_cast<std::int64_t>(k), c, s);
        const double turned = c * step_cos - s * step_sin;
        s = s * step_cos + c * step_sin;
        c = turned;
      }
    }
  }
}

}  // namespace maskgrad
