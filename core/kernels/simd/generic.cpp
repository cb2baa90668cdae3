#include <maskgrad/core/kernels/simd/arrays_level.hpp>

namespace maskgrad::kernels::simd {
template struct Arrays<Generic, float>;
template struct Arrays<Generic, double>;
}  // namespace maskgrad::kernels::simd
