#include <maskgrad/core/kernels/simd/arrays_level.hpp>

namespace maskgrad::kernels::simd {
template struct Arrays<Avx2, float>;
template struct Arrays<Avx2, double>;
}  // namespace maskgrad::kernels::simd
