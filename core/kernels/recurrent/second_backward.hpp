#pragma once

#include <maskgrad/core/kernels/recurrent/product.hpp>
#include <maskgrad/core/kernels/recurrent/second_shard.hpp>
#include <maskgrad/core/kernels/recurrent/second_weights.hpp>

namespace maskgrad::kernels::recurrent {

/// The gradients of a shard, as BackwardScan makes them, and how they change. Rows stand in pairs,
/// so one product takes both, and the direction's weights take every second row of values.
template <class L, class T, Form form>
struct SecondBackward : SecondShard<L, T, form> {
  using Base = SecondShard<L, T, form>;
  using V = simd::Vec<L, T>;
  using vec = typename V::type;
  using S = SecondGates<L, T, form>;
  using D = Dual<L, T>;
  using Base::Base, Base::shape, Base::width, Base::scan, Base::problem, Base::direction,
      Base::change, Base::s, Base::shard, Base::work, Base::second, Base::rows, Base::first,
      Base::gates, Base::moved, Base::running, Base::row_of;

  void run() {
    start(scan.backward->dh_final, work.carry);
    if (form == Form::lstm) start(scan.backward->dc_final, work.c);
    this->clear(work.dkernel, s.panels * s.features * shape.x_count * V::lanes);
    this->clear(work.drecurrent, s.panels * s.units * shape.h_count * V::lanes);
    this->clear(work.dbias, s.panels * width);
    for (std::int64_t chunk = shard.chunks - 1; chunk >= 0; --chunk) {
      const std::int64_t begin = shard.chunk_step[chunk], end = shard.chunk_step[chunk + 1];
      this->enter(chunk);
      for (std::int64_t t = end - 1; t >= begin; --t) step(t, shard.offset[t] - first, running(t));
      SecondWeights<L, T, form>{*this}.add(begin, end);
      if (change.dx) inputs(begin, end);
    }
    finish(change.dh0, work.carry);
    if (form == Form::lstm) finish(change.dc0, work.c);
  }

  void start(const T* last, T* state) {
    this->clear(state, 2 * shard.sequences * s.padded);
    for (std::int64_t i = 0; last && i < shard.sequences; ++i) {
      this->copy(state + 2 * i * s.padded, last + shard.id[i] * s.units, s.units);
    }
  }
  void finish(T* to, const T* state) {
    for (std::int64_t i = 0; to && i < shard.sequences; ++i) {
      this->copy(to + shard.id[i] * s.units, state + (2 * i + 1) * s.padded, s.units);
    }
  }

  /// One vector of each row of a pair.
  [[gnu::always_inline]] D get(const T* pairs, std::int64_t i, std::int64_t unit) const {
    const T* at = pairs + 2 * i * s.padded + unit;
    return {V::load(at), V::load(at + s.padded)};
  }
  [[gnu::always_inline]] void put(T* pairs, std::int64_t i, std::int64_t unit, D x) const {
    T* at = pairs + 2 * i * s.padded + unit;
    V::store(at, x.v);
    V::store(at + s.padded, x.d);
  }
  T* gradient_at(std::int64_t p, std::int64_t row) const {
    return work.gates + 2 * (p * rows + row) * width;
  }

  /// to += (gradients of `count` vectors of sums, from `vector` on) R^T, for the pairs of n rows
  /// from `row` on.
  template <int count>
  void recur(T* to, std::int64_t row, std::int64_t n, int vector) {
    Product<T> g;
    g.a = gradient_at(0, row) + (shape.h_first + vector) * V::lanes;
    g.a_row = width;
    g.a_block = 2 * rows * width;
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
    g.rows = 2 * n;
    g.panels = s.panels;
    multiply<L, T, 1>(g);
    if (direction.recurrent_kernel == nullptr) return;
    g.b = scan.direction_packed.recurrent_transposed + vector * V::lanes * V::lanes;
    g.a_row = 2 * width;
    g.init = g.c = to + s.padded;
    g.init_row = g.c_row = 2 * s.padded;
    g.rows = n;
    multiply<L, T, 1>(g);
  }

  void step(std::int64_t t, std::int64_t row, std::int64_t n) {
    for (std::int64_t p = 0; p < s.panels; ++p) panel(t, p, row, n);
    if constexpr (form == Form::gru_before) {
      this->clear(work.reset, 2 * n * s.padded);
      recur<1>(work.reset, row, n, 2);
      for (std::int64_t p = 0; p < s.panels; ++p) reset(t, p, row, n);
      recur<2>(work.carry, row, n, 0);
    } else {
      recur<shape.h_count>(work.carry, row, n, 0);
    }
  }

  /// The gates' gradients of one panel of a step.
  void panel(std::int64_t t, std::int64_t p, std::int64_t row, std::int64_t n) {
    const std::int64_t unit = p * V::lanes;
    vec bias[shape.vectors];
    T* sums = work.dbias + p * width;
    for (int v = 0; v < shape.vectors; ++v) bias[v] = V::load(sums + v * V::lanes);
    for (std::int64_t i = 0; i < n; ++i) {
      const T* dout = scan.backward->dout;
      D dh = get(work.carry, i, unit);
      if (dout) dh.v += V::load(dout + row_of(i, t) * s.units + unit, s.units - unit);
      const std::int64_t place = (p * rows + row + i) * width;
      const typename S::Gradient d{gradient_at(p, row + i), s.units - unit, bias};
      put(work.carry, i, unit, down(t, i, unit, d, gates + place, moved + place, dh));
    }
    for (int v = 0; v < shape.vectors; ++v) V::store(sums + v * V::lanes, bias[v]);
  }

  [[gnu::always_inline]] D down(std::int64_t t, std::int64_t i, std::int64_t unit,
                                const typename S::Gradient& d, [[maybe_unused]] const T* p,
                                [[maybe_unused]] const T* m, D dh) {
    if constexpr (form == Form::simple) {
      return S::simple(d, dh, this->h_at(i, t, unit));
    } else if constexpr (form == Form::gru_after) {
      return S::gru(d, p, m, dh, this->h_at(i, t - 1, unit));
    } else if constexpr (form == Form::gru_before) {
      return S::gru_new(d, p, m, dh, this->h_at(i, t - 1, unit));
    } else {
      put(work.c, i, unit,
          S::lstm(d, p, m, dh, this->c_at(i, t, unit), this->c_at(i, t - 1, unit),
                  get(work.c, i, unit)));
      return {vec{}, vec{}};
    }
  }

  /// reset_after = false: from the gradient of r h to those of r and h.
  void reset(std::int64_t t, std::int64_t p, std::int64_t row, std::int64_t n) {
    const std::int64_t unit = p * V::lanes;
    vec bias[shape.vectors] = {};
    for (std::int64_t i = 0; i < n; ++i) {
      const std::int64_t place = (p * rows + row + i) * width;
      const D r = S::get(gates + place, moved + place, 1), h = this->h_at(i, t - 1, unit);
      const typename S::Gradient d{gradient_at(p, row + i), s.units - unit, bias};
      const D more = S::gru_reset(d, r, get(work.reset, i, unit), h);
      put(work.carry, i, unit, get(work.carry, i, unit) + more);
      put(work.reset_rows, row + i, unit, r * h);
    }
    T* sum = work.dbias + p * width + V::lanes;
    V::store(sum, V::load(sum) + bias[1]);
  }

  /// dx = d W^T, put at the rows it belongs to.
  void inputs(std::int64_t begin, std::int64_t end) {
    Product<T> g;
    g.a = work.gates + width + shape.x_first * V::lanes;
    g.a_row = 2 * width;
    g.a_block = 2 * rows * width;
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
    if (direction.kernel) {
      g.a -= width;
      g.b = scan.direction_packed.kernel_transposed;
      g.init = work.dx;
      g.init_row = g.c_row;
      g.init_panel = g.c_panel;
      multiply<L, T, 1>(g);
    }
    this->each_row(begin, end, [&](std::int64_t row, std::int64_t i, std::int64_t t) {
      this->copy(change.dx + row_of(i, t) * s.features, work.dx + row * g.c_row, s.features);
    });
  }
};

}  // namespace maskgrad::kernels::recurrent
