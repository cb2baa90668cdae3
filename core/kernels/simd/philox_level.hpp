#pragma once

#include <algorithm>

#include <maskgrad/core/kernels/simd/philox.hpp>

namespace maskgrad::kernels::simd {

/// random::philox for several counters side by side, which the compiler makes vectors of.
template <class L>
void Philox<L>::run(std::uint32_t first, const std::array<std::uint32_t, 3>& rest, Seed seed,
                    std::int64_t n, std::uint32_t* words) {
  constexpr int lanes = L::bytes / 4;
  for (std::int64_t at = 0; at < n; at += lanes) {
    std::uint32_t a[lanes], b[lanes], c[lanes], d[lanes];
    for (int l = 0; l < lanes; ++l) {
      a[l] = first + static_cast<std::uint32_t>(at + l);
      b[l] = rest[0];
      c[l] = rest[1];
      d[l] = rest[2];
    }
    auto k0 = static_cast<std::uint32_t>(seed.value);
    auto k1 = static_cast<std::uint32_t>(seed.value >> 32);
    for (int round = 0; round < 10; ++round) {
      for (int l = 0; l < lanes; ++l) {
        const auto x = std::uint64_t{0xD2511F53} * a[l], y = std::uint64_t{0xCD9E8D57} * c[l];
        a[l] = static_cast<std::uint32_t>(y >> 32) ^ b[l] ^ k0;
        b[l] = static_cast<std::uint32_t>(y);
        c[l] = static_cast<std::uint32_t>(x >> 32) ^ d[l] ^ k1;
        d[l] = static_cast<std::uint32_t>(x);
      }
      k0 += 0x9E3779B9;
      k1 += 0xBB67AE85;
    }
    const auto count = std::min<std::int64_t>(lanes, n - at);
    for (std::int64_t l = 0; l < count; ++l) {
      std::uint32_t* to = words + 4 * (at + l);
      to[0] = a[l];
      to[1] = b[l];
      to[2] = c[l];
      to[3] = d[l];
    }
  }
}

}  // namespace maskgrad::kernels::simd
