#pragma once

#include <array>
#include <cstdint>

#include <maskgrad/core/seed.hpp>

namespace maskgrad::kernels::simd {

/// The words of n blocks of a stream, four a block: those of random::philox({first + i, rest...},
/// seed) for each i < n.
void philox(std::uint32_t first, const std::array<std::uint32_t, 3>& rest, Seed seed,
            std::int64_t n, std::uint32_t* words);

/// The same by level; each level defines its own.
template <class L>
struct Philox {
  static void run(std::uint32_t first, const std::array<std::uint32_t, 3>& rest, Seed seed,
                  std::int64_t n, std::uint32_t* words);
};

}  // namespace maskgrad::kernels::simd
