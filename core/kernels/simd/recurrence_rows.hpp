#pragma once

#include <cstdint>

namespace maskgrad::kernels::simd {

/// What one row of a linear recurrence is made of, in backward; null where it is not there.
template <class T>
struct RecurrenceRow {
  const T* a;
  const T* before;  ///< the state before the row; null: zeros
  const T* dh;
  T* da;
  T* db;
};

/// Rows of a linear recurrence, n values each, of which none depends on its place in the row.
template <class T>
struct RecurrenceRows {
  /// h = a before + b; a null `before` is zeros.
  void (*forward)(const T* a, const T* b, const T* before, T* h, std::int64_t n);
  /// With g = dh + behind: db = g, da = g before, carry = a g. `behind` and `carry` are two lines.
  void (*backward)(const RecurrenceRow<T>& row, const T* behind, T* carry, std::int64_t n);
};

/// Those of the level in use.
template <class T>
const RecurrenceRows<T>& recurrence_rows();
/// Those of level L; each level makes its own.
template <class L, class T>
RecurrenceRows<T> recurrence_rows_at();

}  // namespace maskgrad::kernels::simd
