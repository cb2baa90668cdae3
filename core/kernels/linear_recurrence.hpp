#pragma once

#include <cstdint>

namespace maskgrad::kernels {

/// h = a h + b, value by value, over the rows of each sequence from `first` on: those of one
/// sequence stand side by side. A sequence without rows keeps its initial state.
template <class T>
struct LinearRecurrence {
  std::int64_t sequences = 0, rows = 0, width = 0;
  const std::int64_t* first = nullptr;
  const std::int64_t* length = nullptr;
  bool reverse = false;   ///< a sequence's last row comes first
  const T* a = nullptr;   ///< [rows, width]
  const T* b = nullptr;   ///< the same; backward does not read it
  const T* h0 = nullptr;  ///< [sequences, width]; null: zeros
};

/// The gradients that are wanted, null where one is not.
template <class T>
struct LinearRecurrenceGradient {
  const T* h = nullptr;      ///< what forward gave; null where da is
  const T* dh = nullptr;     ///< [rows, width]; null: zeros
  const T* dlast = nullptr;  ///< [sequences, width]; null: zeros
  T* da = nullptr;
  T* db = nullptr;
  T* dh0 = nullptr;
};

/// Writes h [rows, width], and the states behind the last rows to last [sequences, width] where it
/// is not null. One pass over memory. Where a is 0, the state before it is not read, so that
/// infinity and NaN end there. No result depends on the number of threads.
template <class T>
void linear_recurrence(const LinearRecurrence<T>& problem, T* h, T* last);

/// From the last row to the first: db = g = dh + (a g of the row behind it), da = g h of the row
/// before it, dh0 = a g of the first row. Where g is 0, nothing is read.
template <class T>
void linear_recurrence_backward(const LinearRecurrence<T>& problem,
                                const LinearRecurrenceGradient<T>& gradient);

}  // namespace maskgrad::kernels
