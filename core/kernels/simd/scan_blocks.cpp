#include <maskgrad/core/kernels/simd/scan_blocks.hpp>

#include <maskgrad/core/kernels/simd/level.hpp>

namespace maskgrad::kernels::simd {

template <class T>
const ScanBlocks<T>& scan_blocks() {
  static const ScanBlocks<T> all = with_level([]<class L>(L) { return scan_blocks_at<L, T>(); });
  return all;
}

template const ScanBlocks<float>& scan_blocks();
template const ScanBlocks<double>& scan_blocks();

}  // namespace maskgrad::kernels::simd
