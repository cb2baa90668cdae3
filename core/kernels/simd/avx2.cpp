#include <maskgrad/core/kernels/simd/arrays_level.hpp>
#include <maskgrad/core/kernels/simd/lines_level.hpp>
#include <maskgrad/core/kernels/simd/normals_level.hpp>
#include <maskgrad/core/kernels/simd/philox_level.hpp>
#include <maskgrad/core/kernels/simd/recurrence_rows_level.hpp>
#include <maskgrad/core/kernels/simd/scan_blocks_level.hpp>

namespace maskgrad::kernels::simd {
template struct Arrays<Avx2, float>;
template struct Arrays<Avx2, double>;
template Lines<float> lines_at<Avx2, float>();
template Lines<double> lines_at<Avx2, double>();
template struct Normals<Avx2>;
template struct Philox<Avx2>;
template RecurrenceRows<float> recurrence_rows_at<Avx2, float>();
template RecurrenceRows<double> recurrence_rows_at<Avx2, double>();
template ScanBlocks<float> scan_blocks_at<Avx2, float>();
template ScanBlocks<double> scan_blocks_at<Avx2, double>();
}  // namespace maskgrad::kernels::simd
