#pragma once

#include <bit>
#include <cstddef>

/// Sizes of the pool's blocks.
namespace maskgrad::memory::size_classes {

/// Sizes run 64, 80, 96, 112, 128, 160, ... in four steps to each doubling, from 64 KiB on in 16,
/// so that of a small block at most 25 % is lost and of a large one 6 %.
inline constexpr int small_log = 6, fine_log = 16;
inline constexpr int coarse_classes = (fine_log - small_log) * 4;
inline constexpr int most_log = 58;
inline constexpr int classes = coarse_classes + (most_log - fine_log) * 16 + 1;
/// From here on, 16 KiB, every class is a number of whole pages.
inline constexpr int paged = (14 - small_log) * 4;

inline int class_of(std::size_t bytes) {
  if (bytes <= 64) return 0;
  const int log = std::bit_width(bytes - 1) - 1;  // 2^log < bytes <= 2^(log + 1)
  const bool fine = log >= fine_log;
  const std::size_t step = std::size_t{1} << (fine ? log - 4 : log - 2);
  const auto above = static_cast<int>((bytes - (std::size_t{1} << log) + step - 1) / step);
  return above + (fine ? coarse_classes + (log - fine_log) * 16 : (log - small_log) * 4);
}

inline std::size_t class_bytes(int c) {
  const bool fine = c >= coarse_classes;
  const int steps = fine ? 16 : 4;
  const int log = fine ? fine_log + (c - coarse_classes) / 16 : small_log + c / 4;
  const auto above = static_cast<std::size_t>(fine ? (c - coarse_classes) % 16 : c % 4);
  return (std::size_t{1} << log) + above * ((std::size_t{1} << log) / static_cast<unsigned>(steps));
}

}  // namespace maskgrad::memory::size_classes
