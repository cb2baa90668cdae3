#include <maskgrad/core/kernels/simd/normals.hpp>

#include <maskgrad/core/kernels/simd/level.hpp>

namespace maskgrad::kernels::simd {

void normals(const std::uint32_t* words, std::int64_t pairs, double* z) {
  with_level([&]<class L>(L) { Normals<L>::run(words, pairs, z); });
}

}  // namespace maskgrad::kernels::simd
