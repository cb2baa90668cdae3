#include <maskgrad/core/kernels/simd/arrays_level.hpp>
#include <maskgrad/core/kernels/simd/lines_level.hpp>
#include <maskgrad/core/kernels/simd/normals_level.hpp>
#include <maskgrad/core/kernels/simd/philox_level.hpp>
#include <maskgrad/core/kernels/simd/recurrence_rows_level.hpp>
#include <maskgrad/core/kernels/simd/scan_blocks_level.hpp>

namespace maskgrad::kernels::simd {
template struct Arrays<Generic, float>;
template struct Arrays<Generic, double>;
template Lines<float> lines_at<Generic, float>();
template Lines<double> lines_at<Generic, double>();
template struct Normals<Generic>;
template struct Philox<Generic>;
template RecurrenceRows<float> recurrence_rows_at<Generic, float>();
template RecurrenceRows<double> recurrence_rows_at<Generic, double>();
template ScanBlocks<float> scan_blocks_at<Generic, float>();
template ScanBlocks<double> scan_blocks_at<Generic, double>();
}  // namespace maskgrad::kernels::simd
