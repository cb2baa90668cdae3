#pragma once

#include <maskgrad/core/kernels/recurrent/product.hpp>
#include <maskgrad/core/kernels/recurrent/second_shard.hpp>

namespace maskgrad::kernels::recurrent {

/// How a shard's gates and states change along the direction. The values are known, so what moves
/// the weights is a product over a whole chunk, and steps have one product, as in ForwardScan.
template <class L, class T, Form form>
struct SecondForward : SecondShard<L, T, form> {
  using Base = SecondShard<L, T, form>;
  using V = simd::Vec<L, T>;
  using vec = typename V::type;
  using S = SecondGates<L, T, form>;
  using G = Gates<L, T, form>;
  using Base::Base, Base::shape, Base::width, Base::scan, Base::problem, Base::direction,
      Base::change, Base::s, Base::shard, Base::work, Base::second, Base::rows, Base::first,
      Base::gates, Base::moved, Base::running, Base::row_of;

  void run() {
    start(direction.h0, second.h0);
    if (form == Form::lstm) start(direction.c0, second.c0);
    for (std::int64_t chunk = 0; chunk < shard.chunks; ++chunk) {
      const std::int64_t begin = shard.chunk_step[chunk], end = shard.chunk_step[chunk + 1];
      this->enter(chunk);
      weights(begin, end);
      for (std::int64_t t = begin; t < end; ++t) step(t);
    }
    for (std::int64_t i = 0; i < shard.sequences; ++i) {
      finish(change.h, this->h_moved(shard.length[i] - 1), i);
      if (form == Form::lstm) finish(change.c, this->c_moved(shard.length[i] - 1), i);
    }
  }

  void start(const T* initial, T* state) {
    this->clear(state, shard.sequences * s.padded);
    for (std::int64_t i = 0; initial && i < shard.sequences; ++i) {
      this->copy(state + i * s.padded, initial + shard.id[i] * s.units, s.units);
    }
  }
  void finish(T* to, const T* state, std::int64_t i) {
    if (to) this->copy(to + shard.id[i] * s.units, state + i * s.padded, s.units);
  }

  /// `count` vectors of n rows of sums, from vector `to` on, += a [n, k] times the packed weights
  /// from their vector `from` on.
  template <int count>
  void add(T* at, std::int64_t n, const T* a, std::int64_t a_row, std::int64_t k, const T* weights,
           int from, int to) {
    Product<T> g;
    g.a = a;
    g.a_row = a_row;
    g.b = weights + from * V::lanes;
    g.b_k = shape.x_count * V::lanes;
    g.b_panel = k * g.b_k;
    g.c = at + to * V::lanes;
    g.c_row = width;
    g.c_panel = rows * width;
    g.init = g.c;
    g.init_row = g.c_row;
    g.init_panel = g.c_panel;
    g.k = k;
    g.rows = n;
    g.panels = s.panels;
    multiply<L, T, count>(g);
  }
  template <int count>
  void recur(T* at, std::int64_t n, const T* h, const T* weights, int vector) {
    add<count>(at, n, h, s.padded, s.units, weights, vector, shape.h_first + vector);
  }

  /// The sums' changes that no step before moves: of the bias, the input and the weights.
  void weights(std::int64_t begin, std::int64_t end) {
    for (std::int64_t p = 0; p < s.panels; ++p) {
      for (std::int64_t i = 0; i < rows; ++i) {
        this->copy(moved + (p * rows + i) * width, scan.direction_packed.bias + p * width, width);
      }
    }
    inputs(begin, end, direction.x, scan.packed.kernel);
    if (direction.kernel) inputs(begin, end, problem.x, scan.direction_packed.kernel);
    if (direction.recurrent_kernel == nullptr) return;
    const T* recurrent = scan.direction_packed.recurrent;
    this->each_row(begin, end, [&](std::int64_t row, std::int64_t i, std::int64_t t) {
      T* to = work.h + row * s.padded;
      this->copy(to, this->h_value(i, t - 1), s.units);
      this->clear(to + s.units, s.padded - s.units);
    });
    if constexpr (form == Form::gru_before) {
      recur<2>(moved, rows, work.h, recurrent, 0);
      for (std::int64_t p = 0; p < s.panels; ++p) {
        for (std::int64_t i = 0; i < rows; ++i) {
          T* h = work.h + i * s.padded + p * V::lanes;
          V::store(h, V::load(h) * G::get(gates + (p * rows + i) * width, 1));
        }
      }
      recur<1>(moved, rows, work.h, recurrent, 2);
    } else {
      recur<shape.h_count>(moved, rows, work.h, recurrent, 0);
    }
  }

  void inputs(std::int64_t begin, std::int64_t end, const T* x, const T* weights) {
    if (x == nullptr) return;
    this->each_row(begin, end, [&](std::int64_t row, std::int64_t i, std::int64_t t) {
      this->copy(work.x + row * s.features, x + row_of(i, t) * s.features, s.features);
    });
    add<shape.x_count>(moved, rows, work.x, s.features, s.features, weights, 0, shape.x_first);
  }

  void step(std::int64_t t) {
    const std::int64_t n = running(t), row = shard.offset[t] - first;
    T* at = moved + row * width;
    const T *h = this->h_moved(t - 1), *recurrent = scan.packed.recurrent;
    if constexpr (form == Form::gru_before) {
      recur<2>(at, n, h, recurrent, 0);
      for (std::int64_t p = 0; p < s.panels; ++p) {
        for (std::int64_t i = 0; i < n; ++i) {
          const std::int64_t unit = p * V::lanes, place = (p * rows + row + i) * width;
          V::store(work.reset + i * s.padded + unit,
                   S::gru_reset(gates + place, moved + place, this->h_at(i, t - 1, unit)));
        }
      }
      recur<1>(at, n, work.reset, recurrent, 2);
    } else {
      recur<shape.h_count>(at, n, h, recurrent, 0);
    }
    for (std::int64_t p = 0; p < s.panels; ++p) panel(t, p, row, n);
  }

  void panel(std::int64_t t, std::int64_t p, std::int64_t row, std::int64_t n) {
    const std::int64_t unit = p * V::lanes;
    T* h_next = this->h_moved(t);
    for (std::int64_t i = 0; i < n; ++i) {
      const std::int64_t place = (p * rows + row + i) * width;
      const vec next = activate(t, i, unit, gates + place, moved + place);
      V::store(h_next + i * s.padded + unit, next);
      if (change.out) {
        V::store(change.out + row_of(i, t) * s.units + unit, next, s.units - unit);
      }
    }
  }

  [[gnu::always_inline]] vec activate(std::int64_t t, std::int64_t i, std::int64_t unit,
                                      [[maybe_unused]] const T* p, T* m) {
    if constexpr (form == Form::simple) {
      return S::tanh(V::load(this->h_value(i, t) + unit, s.units - unit), V::load(m));
    } else if constexpr (form == Form::gru_after) {
      return S::gru(p, m, this->h_at(i, t - 1, unit));
    } else if constexpr (form == Form::gru_before) {
      return S::gru_new(p, m, this->h_at(i, t - 1, unit));
    } else {
      typename S::D c{this->c_value(i, t, unit), vec{}};
      const vec next = S::lstm(p, m, c, this->c_at(i, t - 1, unit));
      V::store(this->c_moved(t) + i * s.padded + unit, c.d);
      return next;
    }
  }
};

}  // namespace maskgrad::kernels::recurrent
