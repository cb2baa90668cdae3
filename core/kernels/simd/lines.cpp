#include <maskgrad/core/kernels/simd/lines.hpp>

#include <maskgrad/core/kernels/simd/level.hpp>

namespace maskgrad::kernels::simd {

template <class T>
const Lines<T>& lines() {
  static const Lines<T> all = with_level([]<class L>(L) { return lines_at<L, T>(); });
  return all;
}

template const Lines<float>& lines();
template const Lines<double>& lines();

}  // namespace maskgrad::kernels::simd
