#include <maskgrad/core/kernels/simd/philox.hpp>

#include <maskgrad/core/kernels/simd/level.hpp>

namespace maskgrad::kernels::simd {

void philox(std::uint32_t first, const std::array<std::uint32_t, 3>& rest, Seed seed,
            std::int64_t n, std::uint32_t* words) {
  with_level([&]<class L>(L) { Philox<L>::run(first, rest, seed, n, words); });
}

}  // namespace maskgrad::kernels::simd
