#include <maskgrad/core/kernels/simd/arrays_level.hpp>

namespace maskgrad::kernels::simd {
template struct Arrays<Avx512, float>;
template struct Arrays<Avx512, double>;
}  // namespace maskgrad::kernels::simd
