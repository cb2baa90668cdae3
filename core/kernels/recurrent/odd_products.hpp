#pragma once

#include <maskgrad/core/kernels/recurrent/layout.hpp>

namespace maskgrad::kernels::recurrent {

/// Vectors `first` to `first` + `count` of a panel, and the gate of each in Keras's order.
struct GateRange {
  std::int64_t first, count;
  std::int64_t gate[4];
};

template <Form form>
inline constexpr GateRange input_gates{
    panel_shape<form>.x_first, panel_shape<form>.x_count, {0, 1, 2, 3}};

/// Those of the recurrent part of a panel from its vector `vector` on.
template <Form form>
[[gnu::always_inline]] constexpr GateRange recurrent_gates(std::int64_t vector,
                                                           std::int64_t count) {
  GateRange range{panel_shape<form>.h_first + vector, count, {}};
  for (std::int64_t v = 0; v < count; ++v) {
    range.gate[v] = form == Form::gru_after ? (vector + v + 2) % 3 : vector + v;
  }
  return range;
}

/// The products with gradients run over the finite parts of the other factor, so that a gradient of
/// 0 reads nothing of it; here stands what these lack: the rest, wherever the gradient is not 0.
/// Code of a level, as all that a scan calls.
template <class L, class T>
struct OddProducts {
  const Sizes& s;
  const T* gates;      ///< gradients: vector v of panel p of row i is at
  std::int64_t panel;  ///< gates + p * panel + i * width + v * lanes
  std::int64_t width;

  [[gnu::always_inline]] static bool odd(T value) { return !(value - value == 0); }

  [[gnu::always_inline]] T gradient(std::int64_t row, std::int64_t unit,
                                    std::int64_t vector) const {
    return gates[unit / s.lanes * panel + row * width + vector * s.lanes + unit % s.lanes];
  }

  /// to [rows][to_row] += d W^T, of weights [inputs, gates * units].
  void weights(const GateRange& range, const T* all, std::int64_t inputs, std::int64_t rows, T* to,
               std::int64_t to_row) const {
    for (std::int64_t k = 0; k < inputs; ++k) {
      for (std::int64_t v = 0; v < range.count; ++v) {
        const T* line = all + (k * s.gates + range.gate[v]) * s.units;
        for (std::int64_t u = 0; u < s.units; ++u) {
          for (std::int64_t i = 0; odd(line[u]) && i < rows; ++i) {
            const T d = gradient(i, u, range.first + v);
            if (d != 0) to[i * to_row + k] += d * line[u];
          }
        }
      }
    }
  }

  /// Panels of `to` [panels][inputs][vectors * lanes], from vector `vector` on, += x^T d of one row
  /// x [inputs].
  void row(const GateRange& range, std::int64_t row, const T* x, std::int64_t inputs, T* to,
           std::int64_t vectors, std::int64_t vector) const {
    for (std::int64_t k = 0; k < inputs; ++k) {
      for (std::int64_t v = 0; odd(x[k]) && v < range.count; ++v) {
        for (std::int64_t u = 0; u < s.units; ++u) {
          const T d = gradient(row, u, range.first + v);
          const std::int64_t line = (u / s.lanes * inputs + k) * vectors + vector + v;
          if (d != 0) to[line * s.lanes + u % s.lanes] += x[k] * d;
        }
      }
    }
  }
};

}  // namespace maskgrad::kernels::recurrent
