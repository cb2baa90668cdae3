#pragma once

#include <maskgrad/core/kernels/recurrent/gates.hpp>
#include <maskgrad/core/kernels/recurrent/scan_forward.hpp>
#include <maskgrad/core/kernels/recurrent/weight_gradients.hpp>

namespace maskgrad::kernels::recurrent {

template <class L, class T, Form form>
struct BackwardScan {
  using V = simd::Vec<L, T>;
  using vec = typename V::type;
  using G = Gates<L, T, form>;
  static constexpr PanelShape shape = panel_shape<form>;
  static constexpr std::int64_t width = shape.vectors * V::lanes;

  const Scan<T>& scan;
  const RecurrentProblem<T>& problem;
  const RecurrentBackward<T>& grad;
  const Sizes& s;
  const Shard& shard;
  const Workspace<T>& work;
  const Workspace<T>* again;   ///< where chunks are made again; null: all was kept
  std::int64_t rows = 0;       ///< of the chunk
  const T* saved = nullptr;    ///< of the chunk: [panels][rows][width]
  const T* cells = nullptr;    ///< the shard's c, [rows, padded]
  const T** before = nullptr;  ///< h of the step before, by sequence
  const T** above = nullptr;   ///< gradient that comes to the step's output, by sequence

  const T* kept = nullptr;  ///< states at the beginning of the chunk that was made again
  std::int64_t chunk_begin = 0, chunk_first = 0;  ///< its first step, and row in the shard

  BackwardScan(const Scan<T>& scan_, const Shard& shard_, const Workspace<T>& work_,
               const Workspace<T>* again_)
      : scan(scan_),
        problem(*scan_.problem),
        grad(*scan_.backward),
        s(scan_.sizes),
        shard(shard_),
        work(work_),
        again(again_) {}

  std::int64_t row_of(std::int64_t i, std::int64_t step) const {
    return problem.reverse ? shard.start[i] - step : shard.start[i] + step;
  }

  /// Makes the gates, outputs and cells of a chunk again.
  void remake(std::int64_t chunk) {
    ForwardScan<L, T, form> forward(scan, shard, *again);
    kept = forward.kept_at(grad.saved, chunk);
    chunk_begin = shard.chunk_step[chunk];
    chunk_first = shard.offset[chunk_begin];
    forward.again(chunk, kept);
    saved = again->gates;
    cells = again->cells - chunk_first * s.padded;
  }

  /// State of sequence i before `step`.
  const T* state_before(std::int64_t i, std::int64_t step) const {
    if (again) {
      if (step == chunk_begin) return kept + i * s.padded;
      return again->outputs + (shard.offset[step - 1] - chunk_first + i) * s.units;
    }
    if (step > 0) return grad.out + row_of(i, step - 1) * s.units;
    return problem.h0 ? problem.h0 + shard.id[i] * s.units : work.zeros;
  }

  void run() {
    before = work.sources;
    above = work.sources + shard.sequences;
    start(grad.dh_final, work.carry);
    if (form == Form::lstm) start(grad.dc_final, work.c);
    clear(work.dkernel, s.panels * s.features * shape.x_count * V::lanes);
    clear(work.drecurrent, s.panels * s.units * shape.h_count * V::lanes);
    clear(work.dbias, s.panels * width);
    if (form == Form::lstm && !again) {
      cells = grad.saved + problem.rows * s.panels * width + shard.first_row * s.padded;
    }
    for (std::int64_t chunk = shard.chunks - 1; chunk >= 0; --chunk) {
      const std::int64_t begin = shard.chunk_step[chunk], end = shard.chunk_step[chunk + 1];
      const std::int64_t first = shard.offset[begin];
      rows = shard.offset[end] - first;
      if (again) {
        remake(chunk);
      } else if (form != Form::simple) {
        saved = grad.saved + (shard.first_row + first) * s.panels * width;
      }
      for (std::int64_t t = end - 1; t >= begin; --t) {
        step(t, shard.offset[t] - first, shard.offset[t + 1] - shard.offset[t]);
      }
      WeightGradients<L, T, form, BackwardScan>{*this}.add(begin, end);
      if (grad.dx) inputs(begin, end);
    }
    finish(grad.dh0, work.carry);
    if (form == Form::lstm) finish(grad.dc0, work.c);
  }

  void clear(T* to, std::int64_t n) {
    if (to) __builtin_memset(to, 0, static_cast<std::size_t>(n) * sizeof(T));
  }

  void start(const T* last, T* state) {
    for (std::int64_t i = 0; i < shard.sequences; ++i) {
      for (std::int64_t u = 0; u < s.padded; ++u) {
        state[i * s.padded + u] = last && u < s.units ? last[shard.id[i] * s.units + u] : T{0};
      }
    }
  }

  void finish(T* first, const T* state) {
    if (first == nullptr) return;
    for (std::int64_t i = 0; i < shard.sequences; ++i) {
      __builtin_memcpy(first + shard.id[i] * s.units, state + i * s.padded,
                       static_cast<std::size_t>(s.units) * sizeof(T));
    }
  }

  /// to += (gradients of `count` vectors of sums, from `vector` on) R^T, for n rows.
  template <int count>
  void recur(T* to, const T* at, std::int64_t n, int vector) {
    Product<T> g;
    g.a = at + (shape.h_first + vector) * V::lanes;
    g.a_row = width;
    g.a_block = rows * width;
    g.b = scan.packed.recurrent_transposed + vector * V::lanes * V::lanes;
    g.b_k = V::lanes;
    g.b_block = shape.h_count * V::lanes * V::lanes;
    g.b_panel = s.panels * g.b_block;
    g.c = to;
    g.c_row = s.padded;
    g.c_panel = V::lanes;
    g.init = to;
    g.init_row = g.c_row;
    g.init_panel = g.c_panel;
    g.k = count * V::lanes;
    g.blocks = s.panels;
    g.rows = n;
    g.panels = s.panels;
    multiply<L, T, 1>(g);
    if (!scan.odd_recurrent) return;
    odd_of(at).weights(recurrent_gates<form>(vector, count), problem.recurrent_kernel, s.units, n,
                       to, s.padded);
  }

  OddProducts<L, T> odd_of(const T* gates) const { return {s, gates, rows * width, width}; }

  void step(std::int64_t t, std::int64_t row, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) {
      before[i] = state_before(i, form == Form::simple ? t + 1 : t);
      above[i] = grad.dout ? grad.dout + row_of(i, t) * s.units : work.zeros;
    }
    T* at = work.gates + row * width;
    for (std::int64_t p = 0; p < s.panels; ++p) {
      scan.odd ? panel<true>(t, p, row, n) : panel<false>(t, p, row, n);
    }
    if constexpr (form == Form::gru_before) {
      clear(work.reset, n * s.padded);
      recur<1>(work.reset, at, n, 2);
      for (std::int64_t p = 0; p < s.panels; ++p) {
        scan.odd ? reset<true>(p, row, n) : reset<false>(p, row, n);
      }
      recur<2>(work.carry, at, n, 0);
    } else {
      recur<shape.h_count>(work.carry, at, n, 0);
    }
  }

  /// The gates' gradients of one panel of a step.
  template <bool odd>
  void panel(std::int64_t t, std::int64_t p, std::int64_t row, std::int64_t n) {
    const std::int64_t first = p * V::lanes, count = s.units - first;
    T* to = work.gates + (p * rows + row) * width;
    const T* from = form == Form::simple ? nullptr : saved + (p * rows + row) * width;
    vec bias[shape.vectors];
    for (int v = 0; v < shape.vectors; ++v)
      bias[v] = V::load(work.dbias + p * width + v * V::lanes);
    for (std::int64_t i = 0; i < n; ++i) {
      const typename G::Gradient d{to + i * width, count, bias};
      T* carry = work.carry + i * s.padded + first;
      const vec dh = V::load(carry) + V::load(above[i] + first, count);
      const vec h = V::load(before[i] + first, count);
      if constexpr (form == Form::simple) {
        V::store(carry, G::template simple<odd>(d, dh, h));
      } else if constexpr (form == Form::gru_after) {
        V::store(carry, G::template gru<odd>(d, from + i * width, dh, h));
      } else if constexpr (form == Form::gru_before) {
        V::store(carry, G::template gru_new<odd>(d, from + i * width, dh, h));
      } else {
        T* dc = work.c + i * s.padded + first;
        const T* c = cells + (shard.offset[t] + i) * s.padded + first;
        V::store(dc, G::template lstm<odd>(d, from + i * width, dh, V::load(c),
                                           cell_before(t, i, first, count), V::load(dc)));
        V::store(carry, vec{});
      }
    }
    for (int v = 0; v < shape.vectors; ++v)
      V::store(work.dbias + p * width + v * V::lanes, bias[v]);
  }

  [[gnu::always_inline]] vec cell_before(std::int64_t t, std::int64_t i, std::int64_t first,
                                         std::int64_t count) const {
    if (again && t == chunk_begin) {
      return V::load(kept + (shard.sequences + i) * s.padded + first);
    }
    if (t > 0) return V::load(cells + (shard.offset[t - 1] + i) * s.padded + first);
    if (problem.c0 == nullptr) return vec{};
    return V::load(problem.c0 + shard.id[i] * s.units + first, count);
  }

  /// reset_after = false: from the gradient of r h to those of r and h.
  template <bool odd>
  void reset(std::int64_t p, std::int64_t row, std::int64_t n) {
    const std::int64_t first = p * V::lanes, count = s.units - first;
    vec bias[shape.vectors] = {};
    for (std::int64_t i = 0; i < n; ++i) {
      const std::int64_t u = i * s.padded + first;
      const vec r = G::get(saved + (p * rows + row + i) * width, 1);
      const vec h = V::load(before[i] + first, count);
      const vec dreset = V::load(work.reset + u);
      const typename G::Gradient d{work.gates + (p * rows + row + i) * width, count, bias};
      V::store(work.carry + u,
               V::load(work.carry + u) + G::template gru_reset<odd>(d, r, dreset, h));
      V::store(work.reset_rows + (row + i) * s.padded + first, r * h);
    }
    T* sum = work.dbias + p * width + V::lanes;
    V::store(sum, V::load(sum) + bias[1]);
  }

  /// f(row, sequence, step) over the rows of the chunk.
  template <class F>
  [[gnu::always_inline]] void each_row(std::int64_t begin, std::int64_t end, F&& f) const {
    std::int64_t row = 0;
    for (std::int64_t t = begin; t < end; ++t) {
      const std::int64_t n = shard.offset[t + 1] - shard.offset[t];
      for (std::int64_t i = 0; i < n; ++i, ++row) f(row, i, t);
    }
  }

  /// dx = d W^T, put at the rows it belongs to.
  void inputs(std::int64_t begin, std::int64_t end) {
    Product<T> g;
    g.a = work.gates + shape.x_first * V::lanes;
    g.a_row = width;
    g.a_block = rows * width;
    g.b = scan.packed.kernel_transposed;
    g.b_k = V::lanes;
    g.b_block = shape.x_count * V::lanes * V::lanes;
    g.b_panel = s.panels * g.b_block;
    g.c = work.dx;
    g.c_row = s.x_vectors * V::lanes;
    g.c_panel = V::lanes;
    g.init = work.zeros;
    g.k = shape.x_count * V::lanes;
    g.blocks = s.panels;
    g.rows = rows;
    g.panels = s.x_vectors;
    multiply<L, T, 1>(g);
    if (scan.odd_kernel) {
      odd_of(work.gates)
          .weights(input_gates<form>, problem.kernel, s.features, rows, work.dx, g.c_row);
    }
    each_row(begin, end, [&](std::int64_t row, std::int64_t i, std::int64_t t) {
      __builtin_memcpy(grad.dx + row_of(i, t) * s.features, work.dx + row * g.c_row,
                       static_cast<std::size_t>(s.features) * sizeof(T));
    });
  }
};

}  // namespace maskgrad::kernels::recurrent
