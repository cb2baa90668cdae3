#pragma once

#include <maskgrad/core/kernels/recurrent/second_gates.hpp>
#include <maskgrad/core/kernels/recurrent/second_layout.hpp>

namespace maskgrad::kernels::recurrent {

/// What both passes of recurrent_second read of a shard.
template <class L, class T, Form form>
struct SecondShard {
  using V = simd::Vec<L, T>;
  using vec = typename V::type;
  using D = Dual<L, T>;
  static constexpr PanelShape shape = panel_shape<form>;
  static constexpr std::int64_t width = shape.vectors * V::lanes;

  const SecondScan<T>& scan;
  const RecurrentProblem<T>& problem;
  const RecurrentDirection<T>& direction;
  const RecurrentChange<T>& change;
  const Sizes& s;
  const Shard& shard;
  const Workspace<T>& work;
  const SecondWorkspace<T>& second;
  std::int64_t rows = 0;     ///< of the chunk
  std::int64_t first = 0;    ///< row of the chunk, in the shard
  const T* gates = nullptr;  ///< values of the chunk: [panels][rows][width]
  T* moved = nullptr;        ///< how they change

  SecondShard(const SecondScan<T>& scan_, const Shard& shard_, const Workspace<T>& work_,
              const SecondWorkspace<T>& second_)
      : scan(scan_),
        problem(*scan_.problem),
        direction(*scan_.direction),
        change(*scan_.change),
        s(scan_.sizes),
        shard(shard_),
        work(work_),
        second(second_) {}

  void enter(std::int64_t chunk) {
    first = shard.offset[shard.chunk_step[chunk]];
    rows = shard.offset[shard.chunk_step[chunk + 1]] - first;
    const std::int64_t at = (shard.first_row + first) * s.panels * width;
    gates = form == Form::simple ? nullptr : scan.backward->saved + at;
    moved = scan.moved.gates + at;
  }

  std::int64_t row_of(std::int64_t i, std::int64_t step) const {
    return problem.reverse ? shard.start[i] - step : shard.start[i] + step;
  }
  std::int64_t running(std::int64_t t) const { return shard.offset[t + 1] - shard.offset[t]; }
  /// f(row of the chunk, sequence, step).
  template <class F>
  [[gnu::always_inline]] void each_row(std::int64_t begin, std::int64_t end, F&& f) const {
    std::int64_t row = 0;
    for (std::int64_t t = begin; t < end; ++t) {
      for (std::int64_t i = 0; i < running(t); ++i, ++row) f(row, i, t);
    }
  }

  /// Rows of one array, [n, padded], for the sequences that run at `step`: how h and c change.
  T* h_moved(std::int64_t step) const {
    if (step < 0) return second.h0;
    return scan.moved.h + (shard.first_row + shard.offset[step]) * s.padded;
  }
  T* c_moved(std::int64_t step) const {
    if (step < 0) return second.c0;
    return scan.moved.c + (shard.first_row + shard.offset[step]) * s.padded;
  }
  /// h of sequence i behind `step`, [units].
  const T* h_value(std::int64_t i, std::int64_t step) const {
    if (step >= 0) return scan.backward->out + row_of(i, step) * s.units;
    return problem.h0 ? problem.h0 + shard.id[i] * s.units : work.zeros;
  }

  /// One vector of h, or of c, behind a step.
  [[gnu::always_inline]] D h_at(std::int64_t i, std::int64_t step, std::int64_t unit) const {
    return {V::load(h_value(i, step) + unit, s.units - unit),
            V::load(h_moved(step) + i * s.padded + unit)};
  }
  [[gnu::always_inline]] D c_at(std::int64_t i, std::int64_t step, std::int64_t unit) const {
    return {c_value(i, step, unit), V::load(c_moved(step) + i * s.padded + unit)};
  }
  [[gnu::always_inline]] vec c_value(std::int64_t i, std::int64_t step, std::int64_t unit) const {
    if (step >= 0) {
      const T* cells = scan.backward->saved + problem.rows * s.panels * width;
      return V::load(cells + (shard.first_row + shard.offset[step] + i) * s.padded + unit);
    }
    if (problem.c0 == nullptr) return vec{};
    return V::load(problem.c0 + shard.id[i] * s.units + unit, s.units - unit);
  }

  static void copy(T* to, const T* from, std::int64_t n) {
    __builtin_memcpy(to, from, static_cast<std::size_t>(n) * sizeof(T));
  }
  static void clear(T* to, std::int64_t n) {
    if (to) __builtin_memset(to, 0, static_cast<std::size_t>(n) * sizeof(T));
  }
};

}  // namespace maskgrad::kernels::recurrent
