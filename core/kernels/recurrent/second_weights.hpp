#pragma once

#include <maskgrad/core/kernels/recurrent/odd_products.hpp>
#include <maskgrad/core/kernels/recurrent/product.hpp>
#include <maskgrad/core/kernels/recurrent/second_shard.hpp>

namespace maskgrad::kernels::recurrent {

/// What a chunk adds to the changes of the weights' gradients. Of x^T d that is dx^T d + x^T dd: one
/// product over rows in pairs, in which how a row changes comes first and meets values of d.
template <class L, class T, Form form>
struct SecondWeights {
  using V = simd::Vec<L, T>;
  using Shard = SecondShard<L, T, form>;
  static constexpr PanelShape shape = panel_shape<form>;
  static constexpr std::int64_t width = shape.vectors * V::lanes;
  static constexpr std::int64_t block = strip_rows<L, form>;

  const Shard& shard;
  const Workspace<T>& work = shard.work;

  void add(std::int64_t begin, std::int64_t end) {
    if (work.dkernel) inputs(begin, end);
    if (work.drecurrent) states(begin, end);
  }

  /// Puts a row into strips of `block` columns: strip b has [rows][block].
  [[gnu::always_inline]] static void cut(T* to, std::int64_t rows, std::int64_t row, const T* from,
                                         std::int64_t columns) {
    to += row * block;
    std::int64_t j = 0;
    for (; j + block <= columns; j += block, to += rows * block) {
      __builtin_memcpy(to, from + j, block * sizeof(T));
    }
    for (; j < columns; ++j) *to++ = from[j];
  }

  void inputs(std::int64_t begin, std::int64_t end) {
    // Where x stays there are no pairs, and the changes of d alone are read.
    const std::int64_t each = shard.direction.x ? 2 : 1, n = shard.s.features;
    shard.each_row(begin, end, [&](std::int64_t row, std::int64_t i, std::int64_t t) {
      const std::int64_t at = shard.row_of(i, t) * n;
      cut(work.x, each * shard.rows, each * row + each - 1, shard.problem.x + at, n);
      if (each == 2) cut(work.x, each * shard.rows, each * row, shard.direction.x + at, n);
    });
    product<shape.x_count>(work.dkernel, n, 0, work.x, each, input_gates<form>.first);
  }

  void states(std::int64_t begin, std::int64_t end) {
    constexpr int count = form == Form::gru_before ? 2 : shape.h_count;
    const std::int64_t n = shard.s.units, padded = shard.s.padded;
    shard.each_row(begin, end, [&](std::int64_t row, std::int64_t i, std::int64_t t) {
      cut(work.h, 2 * shard.rows, 2 * row, shard.h_moved(t - 1) + i * padded, n);
      cut(work.h, 2 * shard.rows, 2 * row + 1, shard.h_value(i, t - 1), n);
    });
    product<count>(work.drecurrent, n, 0, work.h, 2, shape.h_first);
    if constexpr (form == Form::gru_before) {
      for (std::int64_t row = 0; row < shard.rows; ++row) {
        const T* reset = work.reset_rows + 2 * row * padded;
        cut(work.h, 2 * shard.rows, 2 * row, reset + padded, n);
        cut(work.h, 2 * shard.rows, 2 * row + 1, reset, n);
      }
      product<1>(work.drecurrent, n, 2, work.h, 2, shape.h_first + 2);
    }
  }

  /// The vectors of `to` from `vector` on += strips^T d, of the gates' vectors from `from` on;
  /// `each`: rows of the strips for a row of the chunk.
  template <int count>
  void product(T* to, std::int64_t inputs, std::int64_t vector, const T* strips, std::int64_t each,
               std::int64_t from) const {
    Product<T> g;
    g.a = strips;
    g.a_row = block;
    g.a_strip = each * shard.rows * block;
    g.b = work.gates + from * V::lanes + (each == 2 ? 0 : width);
    g.b_k = each == 2 ? width : 2 * width;
    g.b_panel = 2 * shard.rows * width;
    g.c = to + vector * V::lanes;
    g.c_row = shape.x_count * V::lanes;
    g.c_panel = inputs * g.c_row;
    g.init = g.c;
    g.init_row = g.c_row;
    g.init_panel = g.c_panel;
    g.k = each * shard.rows;
    g.rows = inputs;
    g.panels = shard.s.panels;
    multiply<L, T, count, true>(g);
  }
};

}  // namespace maskgrad::kernels::recurrent
