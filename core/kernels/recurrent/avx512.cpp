#include <maskgrad/core/kernels/recurrent/scans_level.hpp>
#include <maskgrad/core/kernels/recurrent/seconds_level.hpp>
#include <maskgrad/core/kernels/simd/level.hpp>

namespace maskgrad::kernels::recurrent {
template struct Scans<simd::Avx512, float>;
template struct Scans<simd::Avx512, double>;
template struct SecondScans<simd::Avx512, float>;
template struct SecondScans<simd::Avx512, double>;
}  // namespace maskgrad::kernels::recurrent
