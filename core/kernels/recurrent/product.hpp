#pragma once

#include <cstdint>
#include <utility>

#include <maskgrad/core/kernels/recurrent/layout.hpp>
#include <maskgrad/core/kernels/simd/vector.hpp>

namespace maskgrad::kernels::recurrent {

/// C = init + A B, where B and C come in panels of NV vectors and A in `blocks` blocks of `k`
/// columns. Strides are in elements. A is either rows of contiguous k (a_row apart), or blocks of
/// `a_row` rows, each [k][a_row] (a transposed matrix cut into strips).
template <class T>
struct Product {
  const T* a = nullptr;
  std::int64_t a_row = 0;
  std::int64_t a_strip = 0;  ///< from strip to strip, where A is in strips
  std::int64_t a_block = 0;
  const T* b = nullptr;
  std::int64_t b_k = 0;
  std::int64_t b_block = 0;
  std::int64_t b_panel = 0;
  T* c = nullptr;
  std::int64_t c_row = 0;
  std::int64_t c_panel = 0;
  const T* init = nullptr;  ///< may be c
  std::int64_t init_row = 0;
  std::int64_t init_panel = 0;
  std::int64_t k = 0;
  std::int64_t blocks = 1;
  std::int64_t rows = 0;
  std::int64_t panels = 0;
};

/// Rows of a tile that is `width` vectors wide: its sums, a row of B and a number of A must fit
/// into the registers.
template <class L>
inline constexpr int tile_rows(int width) {
  constexpr int many[] = {0, 12, 12, 9, 6, 4, 4, 3, 3, 2};
  constexpr int few[] = {0, 8, 6, 4, 3, 2, 2, 1, 1, 1};
  return L::registers >= 32 ? many[width] : few[width];
}

/// Columns of a strip of a transposed A: the rows of the best tile for a form's panels.
template <class L, Form form>
inline constexpr std::int64_t strip_rows = form == Form::lstm ? tile_rows<L>(4)
                                                              : tile_rows<L>(3) & ~1;

/// M rows by NP panels of NV vectors, all sums in registers.
template <class L, class T, int M, int NV, int NP, bool strips>
void tile(const Product<T>& g, const T* a, const T* b, T* c, const T* init) {
  using V = simd::Vec<L, T>;
  using vec = typename V::type;
  constexpr int width = NV * NP;
  vec sum[M][width] = {};
  for (std::int64_t block = 0; block < g.blocks; ++block) {
    const T* ak = a + block * g.a_block;
    const T* bk = b + block * g.b_block;
    for (std::int64_t k = 0; k < g.k; ++k) {
      vec bv[width];
#pragma GCC unroll 16
      for (int j = 0; j < width; ++j) bv[j] = V::load(bk + j / NV * g.b_panel + j % NV * V::lanes);
#pragma GCC unroll 16
      for (int i = 0; i < M; ++i) {
        const vec av = V::splat(strips ? ak[i] : ak[i * g.a_row]);
#pragma GCC unroll 16
        for (int j = 0; j < width; ++j) sum[i][j] += av * bv[j];
      }
      ak += strips ? g.a_row : 1;
      bk += g.b_k;
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < M; ++i) {
#pragma GCC unroll 16
    for (int j = 0; j < width; ++j) {
      const T* from = init + i * g.init_row + j / NV * g.init_panel + j % NV * V::lanes;
      V::store(c + i * g.c_row + j / NV * g.c_panel + j % NV * V::lanes, sum[i][j] + V::load(from));
    }
  }
}

template <class T>
using Tile = void (*)(const Product<T>&, const T*, const T*, T*, const T*);

/// The tiles of one width by their number of rows less one.
template <class L, class T, int NV, int NP, bool strips>
struct Tiles {
  static constexpr int rows = tile_rows<L>(NV * NP);
  struct Table {
    Tile<T> tile[rows];
  };
  template <std::size_t... i>
  static constexpr Table make(std::index_sequence<i...>) {
    return {{&tile<L, T, static_cast<int>(i) + 1, NV, NP, strips>...}};
  }
  static constexpr Table table = make(std::make_index_sequence<rows>{});
};

/// All rows of NP panels. Rows are dealt evenly to the fewest tiles, or strip by strip.
template <class L, class T, int NV, int NP, bool strips>
void panel_rows(const Product<T>& g, std::int64_t panel) {
  using All = Tiles<L, T, NV, NP, strips>;
  const std::int64_t step = strips ? g.a_row : All::rows;
  const std::int64_t tiles = (g.rows + step - 1) / step;
  const T* b = g.b + panel * g.b_panel;
  for (std::int64_t t = 0; t < tiles; ++t) {
    const std::int64_t begin = strips ? t * step : g.rows * t / tiles;
    std::int64_t end = strips ? begin + step : g.rows * (t + 1) / tiles;
    if (end > g.rows) end = g.rows;
    const T* a = g.a + (strips ? t * g.a_strip : begin * g.a_row);
    All::table.tile[end - begin - 1](g, a, b, g.c + begin * g.c_row + panel * g.c_panel,
                                     g.init + begin * g.init_row + panel * g.init_panel);
  }
}

/// The most panels side by side that still take `rows` rows in one tile; for many rows, what makes
/// the best tile.
template <class L, int NV, bool strips>
inline std::int64_t panels_at_once(std::int64_t rows) {
  if (!strips) {
    for (int np = 8 / NV; np >= 1; --np) {
      if (tile_rows<L>(NV * np) >= rows) return np;
    }
  }
  return 3 / NV > 1 ? 3 / NV : 1;
}

/// The whole product, in groups of panels as even as can be.
template <class L, class T, int NV, bool strips = false>
void multiply(const Product<T>& g) {
  if (g.rows == 0) return;
  const std::int64_t most = panels_at_once<L, NV, strips>(g.rows);
  const std::int64_t groups = (g.panels + most - 1) / most;
  for (std::int64_t i = 0; i < groups; ++i) {
    std::int64_t panel = g.panels * i / groups;
    const std::int64_t count = g.panels * (i + 1) / groups - panel;
    [&]<int... np>(std::integer_sequence<int, np...>) __attribute__((always_inline)) {
      ((count == np + 1 ? panel_rows<L, T, NV, np + 1, strips>(g, panel) : void()), ...);
    }
    (std::make_integer_sequence < int, strips ? (NV >= 3 ? 1 : 3 / NV) : 8 / NV > {});
  }
}

}  // namespace maskgrad::kernels::recurrent
