#pragma once

#include <maskgrad/core/kernels/recurrent/gates.hpp>
#include <maskgrad/core/kernels/recurrent/product.hpp>

namespace maskgrad::kernels::recurrent {

template <class L, class T, Form form>
struct ForwardScan {
  using V = simd::Vec<L, T>;
  using vec = typename V::type;
  using G = Gates<L, T, form>;
  static constexpr PanelShape shape = panel_shape<form>;
  static constexpr std::int64_t width = shape.vectors * V::lanes;

  const Scan<T>& scan;
  const RecurrentProblem<T>& problem;
  const Sizes& s;
  const Shard& shard;
  const Workspace<T>& work;
  std::int64_t rows = 0;   ///< of the chunk
  std::int64_t first = 0;  ///< row of the chunk, in the shard
  T* gates = nullptr;      ///< of the chunk: [panels][rows][width]
  T* cells = nullptr;      ///< c of the shard's rows, kept for backward
  T* outputs = nullptr;    ///< where a chunk that is made again has its outputs

  ForwardScan(const Scan<T>& scan_, const Shard& shard_, const Workspace<T>& work_)
      : scan(scan_), problem(*scan_.problem), s(scan_.sizes), shard(shard_), work(work_) {}

  std::int64_t row_of(std::int64_t i, std::int64_t step) const {
    return problem.reverse ? shard.start[i] - step : shard.start[i] + step;
  }

  void run() {
    T* h = work.h;
    T* h_next = work.h + shard.sequences * s.padded;
    start(problem.h0, h);
    if (form == Form::lstm) start(problem.c0, work.c);
    for (std::int64_t chunk = 0; chunk < shard.chunks; ++chunk) {
      const std::int64_t begin = shard.chunk_step[chunk], end = shard.chunk_step[chunk + 1];
      if (problem.training && problem.recompute) keep(chunk, h);
      enter(begin, end);
      inputs(begin, end);
      for (std::int64_t t = begin; t < end; ++t) {
        step(t, h, h_next);
        const std::int64_t left = t + 1 < shard.steps ? running(t + 1) : 0;
        for (std::int64_t i = left; i < running(t); ++i) {
          finish(scan.forward->h, h_next, i);
          if (form == Form::lstm) finish(scan.forward->c, work.c, i);
        }
        T* swapped = h;
        h = h_next;
        h_next = swapped;
      }
    }
  }

  static constexpr std::int64_t states = form == Form::lstm ? 2 : 1;

  /// The states at a chunk's beginning: h, and of an LSTM c behind it, [sequences, padded] each.
  template <class P>
  P* kept_at(P* saved, std::int64_t chunk) const {
    return saved + (shard.first_state + chunk * shard.sequences) * states * s.padded;
  }

  void keep(std::int64_t chunk, const T* h) const {
    T* to = kept_at(scan.forward->saved, chunk);
    const std::int64_t size = shard.sequences * s.padded;
    __builtin_memcpy(to, h, static_cast<std::size_t>(size) * sizeof(T));
    if (form == Form::lstm) {
      __builtin_memcpy(to + size, work.c, static_cast<std::size_t>(size) * sizeof(T));
    }
  }

  /// Makes a chunk again, from the states that were kept: gates, outputs and cells in `work`.
  void again(std::int64_t chunk, const T* kept) {
    T* h = work.h;
    T* h_next = work.h + shard.sequences * s.padded;
    const std::int64_t size = shard.sequences * s.padded;
    __builtin_memcpy(h, kept, static_cast<std::size_t>(size) * sizeof(T));
    if (form == Form::lstm) {
      __builtin_memcpy(work.c, kept + size, static_cast<std::size_t>(size) * sizeof(T));
    }
    const std::int64_t begin = shard.chunk_step[chunk], end = shard.chunk_step[chunk + 1];
    first = shard.offset[begin];
    rows = shard.offset[end] - first;
    gates = work.gates;
    outputs = work.outputs;
    cells = form == Form::lstm ? work.cells - first * s.padded : nullptr;
    inputs(begin, end);
    for (std::int64_t t = begin; t < end; ++t) {
      step(t, h, h_next);
      T* swapped = h;
      h = h_next;
      h_next = swapped;
    }
  }

  std::int64_t running(std::int64_t t) const { return shard.offset[t + 1] - shard.offset[t]; }

  /// The gates of a chunk stand in saved memory where backward reads them, else in our own.
  void enter(std::int64_t begin, std::int64_t end) {
    first = shard.offset[begin];
    rows = shard.offset[end] - first;
    gates = work.gates;
    if (!problem.training || problem.recompute || form == Form::simple) return;
    T* saved = scan.forward->saved;
    gates = saved + (shard.first_row + first) * s.panels * width;
    if (form == Form::lstm) {
      cells = saved + problem.rows * s.panels * width + shard.first_row * s.padded;
    }
  }

  void start(const T* initial, T* state) {
    for (std::int64_t i = 0; i < shard.sequences; ++i) {
      for (std::int64_t u = 0; u < s.padded; ++u) {
        state[i * s.padded + u] =
            initial && u < s.units ? initial[shard.id[i] * s.units + u] : T{0};
      }
    }
  }

  void finish(T* final_state, const T* state, std::int64_t i) {
    if (final_state == nullptr) return;
    __builtin_memcpy(final_state + shard.id[i] * s.units, state + i * s.padded,
                     static_cast<std::size_t>(s.units) * sizeof(T));
  }

  /// gates = bias + x W for all rows of the chunk.
  void inputs(std::int64_t begin, std::int64_t end) {
    T* x = work.x;
    for (std::int64_t t = begin; t < end; ++t) {
      for (std::int64_t i = 0; i < shard.offset[t + 1] - shard.offset[t]; ++i) {
        __builtin_memcpy(x, problem.x + row_of(i, t) * s.features,
                         static_cast<std::size_t>(s.features) * sizeof(T));
        x += s.features;
      }
    }
    Product<T> g;
    g.a = work.x;
    g.a_row = s.features;
    g.b = scan.packed.kernel;
    g.b_k = shape.x_count * V::lanes;
    g.b_panel = s.features * g.b_k;
    g.c = gates + shape.x_first * V::lanes;
    g.c_row = width;
    g.c_panel = rows * width;
    g.init = scan.packed.bias + shape.x_first * V::lanes;
    g.init_panel = width;
    g.k = s.features;
    g.rows = rows;
    g.panels = s.panels;
    multiply<L, T, shape.x_count>(g);
    if constexpr (form == Form::gru_after) {
      for (std::int64_t p = 0; p < s.panels; ++p) {
        const vec bias = V::load(scan.packed.bias + p * width);
        T* to = gates + p * rows * width;
        for (std::int64_t i = 0; i < rows; ++i) V::store(to + i * width, bias);
      }
    }
  }

  /// gates of n rows += h R, of the vectors from `vector` on.
  template <int count>
  void recur(T* at, const T* h, std::int64_t n, int vector) {
    Product<T> g;
    g.a = h;
    g.a_row = s.padded;
    g.b = scan.packed.recurrent + vector * V::lanes;
    g.b_k = shape.h_count * V::lanes;
    g.b_panel = s.units * g.b_k;
    g.c = at + (shape.h_first + vector) * V::lanes;
    g.c_row = width;
    g.c_panel = rows * width;
    g.init = g.c;
    g.init_row = g.c_row;
    g.init_panel = g.c_panel;
    g.k = s.units;
    g.rows = n;
    g.panels = s.panels;
    multiply<L, T, count>(g);
  }

  void step(std::int64_t t, const T* h, T* h_next) {
    const std::int64_t n = running(t);
    T* at = gates + (shard.offset[t] - first) * width;
    if constexpr (form == Form::gru_before) {
      recur<2>(at, h, n, 0);
      for (std::int64_t p = 0; p < s.panels; ++p) {
        for (std::int64_t i = 0; i < n; ++i) {
          const std::int64_t u = i * s.padded + p * V::lanes;
          V::store(work.reset + u, G::gru_reset(at + (p * rows + i) * width, V::load(h + u)));
        }
      }
      recur<1>(at, work.reset, n, 2);
    } else {
      recur<shape.h_count>(at, h, n, 0);
    }
    T* out = outputs ? outputs : scan.forward->out;
    for (std::int64_t i = 0; out && i < n; ++i) {
      work.targets[i] = out + (outputs ? shard.offset[t] - first + i : row_of(i, t)) * s.units;
    }
    T* kept = cells ? cells + shard.offset[t] * s.padded : nullptr;
    for (std::int64_t p = 0; p < s.panels; ++p) {
      activate(at + p * rows * width, p * V::lanes, n, h, h_next, kept, out != nullptr);
    }
  }

  /// The new states of one panel of a step, to h_next and to the output's rows.
  void activate(T* panel, std::int64_t unit, std::int64_t n, const T* h, T* h_next, T* kept,
                bool written) {
    for (std::int64_t i = 0; i < n; ++i) {
      const std::int64_t u = i * s.padded + unit;
      T* c = form == Form::lstm ? work.c + u : nullptr;
      const vec next = activate(panel + i * width, h + u, c);
      V::store(h_next + u, next);
      if (kept) V::store(kept + u, V::load(c));
      if (written) V::store(work.targets[i] + unit, next, s.units - unit);
    }
  }

  [[gnu::always_inline]] static vec activate(T* sums, const T* h, [[maybe_unused]] T* c) {
    if constexpr (form == Form::simple) {
      return G::simple(sums);
    } else if constexpr (form == Form::gru_after) {
      return G::gru(sums, V::load(h));
    } else if constexpr (form == Form::gru_before) {
      return G::gru_new(sums, V::load(h));
    } else {
      vec cell = V::load(c);
      const vec next = G::lstm(sums, cell);
      V::store(c, cell);
      return next;
    }
  }
};

}  // namespace maskgrad::kernels::recurrent
