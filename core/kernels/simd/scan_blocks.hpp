#pragma once

#include <cstdint>

#include <maskgrad/core/kernels/selective_scan.hpp>

namespace maskgrad::kernels::simd {

/// One sequence and the channels [from, from + n) of a selective scan, with what it works in. Arrays
/// of the block are [state, padded], zeros behind the n-th channel.
template <class T>
struct ScanBlock {
  std::int64_t sequence, from, n, padded;
  const T* a;  ///< of the block
  T* h;        ///< of the block: before the first row, then behind the last one
};

/// What backward works in besides; sums over the block's channels and rows.
template <class T>
struct ScanSums {
  T* before;   ///< (scan_chunk + 1) states of the block
  T* factors;  ///< scan_chunk times exp(delta a)
  T* da;       ///< of the block, for a chunk
  T* lanes;    ///< 2 state vectors
  T* db;
  T* dc;        ///< both [rows, state], of this block's channels
  double* all;  ///< [state, inner], to which each chunk's da is added
};

template <class T>
struct ScanBlocks {
  void (*forward)(const SelectiveScan<T>& scan, const ScanBlock<T>& block, T* y, T* saved);
  /// `block.h`: the gradient of the last state, then that of the first.
  void (*backward)(const SelectiveScan<T>& scan, const SelectiveScanGradient<T>& gradient,
                   const ScanBlock<T>& block, const ScanSums<T>& sums);
};

/// Those of the level in use.
template <class T>
const ScanBlocks<T>& scan_blocks();
/// Those of level L; each level makes its own.
template <class L, class T>
ScanBlocks<T> scan_blocks_at();

}  // namespace maskgrad::kernels::simd
