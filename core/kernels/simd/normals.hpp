#pragma once

#include <cstdint>

namespace maskgrad::kernels::simd {

/// Standard normal numbers of random words, in f64: two of each of `pairs` pairs of words.
/// Source: Box and Muller 1958.
void normals(const std::uint32_t* words, std::int64_t pairs, double* z);

/// The same by level; each level defines its own.
template <class L>
struct Normals {
  static void run(const std::uint32_t* words, std::int64_t pairs, double* z);
};

}  // namespace maskgrad::kernels::simd
