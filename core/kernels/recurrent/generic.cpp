#include <maskgrad/core/kernels/recurrent/scans_level.hpp>
#include <maskgrad/core/kernels/recurrent/second_rows_level.hpp>
#include <maskgrad/core/kernels/simd/level.hpp>

namespace maskgrad::kernels::recurrent {
template struct Scans<simd::Generic, float>;
template struct Scans<simd::Generic, double>;
template struct SecondRowsOf<simd::Generic, float>;
template struct SecondRowsOf<simd::Generic, double>;
}  // namespace maskgrad::kernels::recurrent
