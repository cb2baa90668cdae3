#pragma once

#include <bit>
#ifdef __AVX2__
#include <immintrin.h>
#endif

#include <maskgrad/core/kernels/simd/level.hpp>
#include <maskgrad/core/kernels/simd/philox.hpp>

namespace maskgrad::kernels::simd {

/// Words in lanes of 64 bits, as their products have; one by one where there is no product of many.
template <class L>
struct Words {
  typedef std::uint64_t wide __attribute__((vector_size(L::bytes)));
};
template <>
struct Words<Generic> {
  typedef std::uint64_t wide;
};

#ifdef __AVX2__  // where the compiler would take three
[[gnu::always_inline]] inline Words<Avx2>::wide product(Words<Avx2>::wide x, std::uint64_t by) {
  return (Words<Avx2>::wide)_mm256_mul_epu32((__m256i)x, _mm256_set1_epi64x(std::int64_t(by)));
}
#endif
template <class W>
[[gnu::always_inline]] inline W product(W x, std::uint64_t by) {
  return x * by;
}

/// random::philox for several counters side by side.
template <class L>
void Philox<L>::run(std::uint32_t first, const std::array<std::uint32_t, 3>& rest, Seed seed,
                    std::int64_t n, std::uint32_t* words) {
  using wide = typename Words<L>::wide;
  constexpr int lanes = sizeof(wide) / 8;
  static_assert(std::endian::native == std::endian::little, "two words are stored as one of 64");
  const wide low = wide{} + 0xFFFFFFFF;
  for (std::int64_t at = 0; at < n; at += lanes) {
    std::uint64_t counters[lanes], ends[2][lanes], pairs[2 * lanes];
    for (int l = 0; l < lanes; ++l) counters[l] = first + static_cast<std::uint32_t>(at + l);
    wide a, b = wide{} + rest[0], c = wide{} + rest[1], d = wide{} + rest[2];
    __builtin_memcpy(&a, counters, sizeof a);
    std::uint64_t k0 = seed.value & 0xFFFFFFFF, k1 = seed.value >> 32;
    for (int round = 0; round < 10; ++round) {
      const wide x = product(a, 0xD2511F53), y = product(c, 0xCD9E8D57);
      a = (y >> 32) ^ b ^ k0;
      b = y & low;
      c = (x >> 32) ^ d ^ k1;
      d = x & low;
      k0 = (k0 + 0x9E3779B9) & 0xFFFFFFFF;
      k1 = (k1 + 0xBB67AE85) & 0xFFFFFFFF;
    }
    const wide front = a | (b << 32), back = c | (d << 32);
    __builtin_memcpy(ends[0], &front, sizeof front);
    __builtin_memcpy(ends[1], &back, sizeof back);
    for (int l = 0; l < 2 * lanes; ++l) pairs[l] = ends[l % 2][l / 2];
    const auto left = static_cast<std::size_t>(n - at < lanes ? n - at : lanes);
    __builtin_memcpy(words + 4 * at, pairs, 16 * left);
  }
}

}  // namespace maskgrad::kernels::simd
