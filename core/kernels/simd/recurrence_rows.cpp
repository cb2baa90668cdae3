#include <maskgrad/core/kernels/simd/recurrence_rows.hpp>

#include <maskgrad/core/kernels/simd/level.hpp>

namespace maskgrad::kernels::simd {

template <class T>
const RecurrenceRows<T>& recurrence_rows() {
  static const RecurrenceRows<T> all =
      with_level([]<class L>(L) { return recurrence_rows_at<L, T>(); });
  return all;
}

template const RecurrenceRows<float>& recurrence_rows();
template const RecurrenceRows<double>& recurrence_rows();

}  // namespace maskgrad::kernels::simd
