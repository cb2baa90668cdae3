#include <maskgrad/core/kernels/recurrent/scans_level.hpp>
#include <maskgrad/core/kernels/recurrent/second_rows_level.hpp>
#include <maskgrad/core/kernels/simd/level.hpp>

namespace maskgrad::kernels::recurrent {
template struct Scans<simd::Avx2, float>;
template struct Scans<simd::Avx2, double>;
template struct SecondRowsOf<simd::Avx2, float>;
template struct SecondRowsOf<simd::Avx2, double>;
}  // namespace maskgrad::kernels::recurrent
