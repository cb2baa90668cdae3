#pragma once

#include <maskgrad/core/kernels/recurrent/odd_products.hpp>
#include <maskgrad/core/kernels/recurrent/product.hpp>

namespace maskgrad::kernels::recurrent {

/// What a chunk of a backward scan adds to the gradients of the weights.
template <class L, class T, Form form, class Scan>
struct WeightGradients {
  using V = simd::Vec<L, T>;
  static constexpr PanelShape shape = panel_shape<form>;
  static constexpr std::int64_t width = shape.vectors * V::lanes;

  const Scan& scan;

  /// Cuts the finite part of a row into strips of `block` columns: strip b has [rows][block].
  /// Whether there was more.
  [[gnu::always_inline]] bool cut(T* to, std::int64_t row, const T* from, std::int64_t columns) {
    constexpr std::int64_t block = strip_rows<L, form>;
    to += row * block;
    int odd = 0;
    for (std::int64_t j = 0; scan.scan.odd && j < columns; ++j)
      odd |= OddProducts<L, T>::odd(from[j]);
    if (odd) {
      for (std::int64_t j = 0; j < columns; ++j) {
        const T value = OddProducts<L, T>::odd(from[j]) ? T{0} : from[j];
        to[j / block * scan.rows * block + j % block] = value;
      }
      return true;
    }
    std::int64_t j = 0;
    for (; j + block <= columns; j += block, to += scan.rows * block) {
      __builtin_memcpy(to, from + j, block * sizeof(T));
    }
    for (; j < columns; ++j) *to++ = from[j];
    return false;
  }

  /// dW += x^T d and dR += h^T d over the rows of the chunk.
  void add(std::int64_t begin, std::int64_t end) {
    if (scan.work.dkernel) {
      weights_of<shape.x_count>(begin, end, scan.work.x, scan.work.dkernel, scan.s.features,
                                input_gates<form>, 0,
                                [&](std::int64_t, std::int64_t i, std::int64_t t) {
                                  return scan.problem.x + scan.row_of(i, t) * scan.s.features;
                                });
    }
    if (scan.work.drecurrent == nullptr) return;
    constexpr int count = form == Form::gru_before ? 2 : shape.h_count;
    weights_of<count>(
        begin, end, scan.work.h, scan.work.drecurrent, scan.s.units,
        recurrent_gates<form>(0, count), 0,
        [&](std::int64_t, std::int64_t i, std::int64_t t) { return scan.state_before(i, t); });
    if constexpr (form == Form::gru_before) {
      weights_of<1>(begin, end, scan.work.h, scan.work.drecurrent, scan.s.units,
                    recurrent_gates<form>(2, 1), 2,
                    [&](std::int64_t row, std::int64_t, std::int64_t) {
                      return scan.work.reset_rows + row * scan.s.padded;
                    });
    }
  }

  /// The vectors of `to` from `vector` on += (rows that `source` gives)^T d, of a range of gates.
  template <int count, class Source>
  void weights_of(std::int64_t begin, std::int64_t end, T* strips, T* to, std::int64_t inputs,
                  const GateRange& range, std::int64_t vector, Source&& source) {
    constexpr std::int64_t vectors = shape.x_count;
    bool odd = false;
    scan.each_row(begin, end, [&](std::int64_t row, std::int64_t i, std::int64_t t) {
      odd |= cut(strips, row, source(row, i, t), inputs);
    });
    gradient<count>(to, inputs, vectors, vector, strips, range.first);
    if (!odd) return;
    scan.each_row(begin, end, [&](std::int64_t row, std::int64_t i, std::int64_t t) {
      scan.odd_of(scan.work.gates).row(range, row, source(row, i, t), inputs, to, vectors, vector);
    });
  }

  template <int count>
  void gradient(T* to, std::int64_t inputs, std::int64_t vectors, std::int64_t vector,
                const T* strips, std::int64_t from) {
    Product<T> g;
    g.a = strips;
    g.a_row = strip_rows<L, form>;
    g.a_strip = scan.rows * strip_rows<L, form>;
    g.b = scan.work.gates + from * V::lanes;
    g.b_k = width;
    g.b_panel = scan.rows * width;
    g.c = to + vector * V::lanes;
    g.c_row = vectors * V::lanes;
    g.c_panel = inputs * g.c_row;
    g.init = g.c;
    g.init_row = g.c_row;
    g.init_panel = g.c_panel;
    g.k = scan.rows;
    g.rows = inputs;
    g.panels = scan.s.panels;
    multiply<L, T, count, true>(g);
  }
};

}  // namespace maskgrad::kernels::recurrent
