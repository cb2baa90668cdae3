#pragma once

#include <cstdint>

namespace maskgrad::kernels {

/// The states h [state, inner] of each sequence go on by
///   h = exp(delta a) h + (delta x) b,  y = sum of c h over `state`
/// over its rows, which stand side by side from `first` on.
template <class T>
struct SelectiveScan {
  std::int64_t sequences = 0, rows = 0, inner = 0, state = 0;
  const std::int64_t* first = nullptr;
  const std::int64_t* length = nullptr;
  bool reverse = false;  ///< a sequence's last row comes first
  const T* x = nullptr;
  const T* delta = nullptr;  ///< both [rows, inner]
  const T* a = nullptr;      ///< [state, inner]
  const T* b = nullptr;
  const T* c = nullptr;   ///< both [rows, state]
  const T* h0 = nullptr;  ///< [sequences, state, inner]; null: zeros
};

/// The gradients, null where one is not wanted; they are written.
template <class T>
struct SelectiveScanGradient {
  const T* saved = nullptr;  ///< what forward kept
  const T* dy = nullptr;     ///< [rows, inner]; null: zeros
  const T* dlast = nullptr;  ///< [sequences, state, inner]; null: zeros
  T* dx = nullptr;
  T* ddelta = nullptr;
  T* da = nullptr;
  T* db = nullptr;
  T* dc = nullptr;
  T* dh0 = nullptr;
};

/// A state of each sequence is kept every so many rows; backward makes those between again.
inline constexpr std::int64_t scan_chunk = 16;

/// Values that `saved` needs room for.
template <class T>
std::int64_t selective_scan_saved(const SelectiveScan<T>& problem) {
  return (problem.rows / scan_chunk + problem.sequences + 1) * problem.state * problem.inner;
}

/// Writes y [rows, inner], last [sequences, state, inner] where it is not null, and `saved` where
/// backward is to follow. No result depends on the number of threads.
template <class T>
void selective_scan(const SelectiveScan<T>& problem, T* y, T* last, T* saved);

/// Where an incoming gradient is 0, nothing is read.
template <class T>
void selective_scan_backward(const SelectiveScan<T>& problem,
                             const SelectiveScanGradient<T>& gradient);

}  // namespace maskgrad::kernels
