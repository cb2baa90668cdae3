#pragma once

#include <array>

#include <maskgrad/core/kernels/reduce.hpp>

namespace maskgrad::kernels {
namespace reduction {

/// Lines of a unit that are not side by side, gathered a few at a time so that memory is read in
/// order: `k` inputs and the result.
template <class T, std::size_t k>
class Gathered {
 public:
  Gathered(const Reduction& r, const std::array<const T*, k>& x, T* y) : r_(r), x_(x), y_(y) {}

  template <class F>
  void run(const Unit& u, F&& f) {
    length_ = r_.terms(u.group);
    const auto needed = static_cast<std::int64_t>(k + 1) * few * length_;
    if (buffer_.size() < needed) buffer_ = extend::Pooled<T>(needed);
    for (std::int64_t column = 0; column < u.columns; column += few) {
      const auto columns = std::min(few, u.columns - column);
      each_step(u, [&](std::int64_t at, std::int64_t t) {
        for (std::size_t j = 0; j < k; ++j) {
          const T* from = x_[j] + at + column;
          T* to = line(j, 0) + t;
          for (std::int64_t c = 0; c < columns; ++c) to[c * length_] = from[c];
        }
      });
      for (std::int64_t c = 0; c < columns; ++c) {
        std::array<const T*, k> from;
        for (std::size_t j = 0; j < k; ++j) from[j] = line(j, c);
        f(from, line(k, c), length_);
      }
      each_step(u, [&](std::int64_t at, std::int64_t t) {
        const T* from = line(k, 0) + t;
        T* to = y_ + at + column;
        for (std::int64_t c = 0; c < columns; ++c) to[c] = from[c * length_];
      });
    }
  }

 private:
  static constexpr std::int64_t few = 16;

  T* line(std::size_t j, std::int64_t c) {
    return buffer_.data() + (static_cast<std::int64_t>(j) * few + c) * length_;
  }
  /// g(place, step) for every step of these lines; its columns stand side by side from `place` on.
  template <class G>
  void each_step(const Unit& u, G&& g) {
    std::int64_t t = 0;
    walk(r_, u, 0, 1, [&](std::int64_t at, std::int64_t count) {
      const auto steps = r_.wide ? 1 : count;
      for (std::int64_t v = 0; v < steps; ++v) g(at + v, t++);
    });
  }

  const Reduction& r_;
  std::array<const T*, k> x_;
  T* y_;
  extend::Pooled<T> buffer_;
  std::int64_t length_ = 0;
};

}  // namespace reduction

/// Calls f(inputs, to, n) for every line of a reduction over one axis: its n values of each input,
/// side by side and in order, and room for the n values that become the line's in `y`.
template <class T, std::size_t k, class F>
void along_lines(const Reduction& r, const std::array<const T*, k>& x, T* y, F&& f) {
  using namespace reduction;
  const auto n = units(r);
  const auto shards = std::min(n, extend::shard_count(values(r), elementwise_grain));
  extend::parallel_for(shards, [&](std::int64_t s) {
    Gathered<T, k> gathered(r, x, y);
    for (auto i = extend::shard_begin(n, shards, s); i < extend::shard_begin(n, shards, s + 1);
         ++i) {
      const Unit u = unit(r, i);
      if (!r.solid() && (r.wide || r.rows_of(u.group) * r.lines.count != 1)) {
        gathered.run(u, f);
        continue;
      }
      walk(r, u, 0, 1, [&](std::int64_t at, std::int64_t count) {
        std::array<const T*, k> from;
        for (std::size_t j = 0; j < k; ++j) from[j] = x[j] + at;
        f(from, y + at, count);
      });
    }
  });
}

}  // namespace maskgrad::kernels
