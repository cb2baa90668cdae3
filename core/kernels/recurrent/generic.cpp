#include <maskgrad/core/kernels/recurrent/scans_level.hpp>
#include <maskgrad/core/kernels/recurrent/seconds_level.hpp>
#include <maskgrad/core/kernels/simd/level.hpp>

namespace maskgrad::kernels::recurrent {
template struct Scans<simd::Generic, float>;
template struct Scans<simd::Generic, double>;
template struct SecondScans<simd::Generic, float>;
template struct SecondScans<simd::Generic, double>;
}  // namespace maskgrad::kernels::recurrent
