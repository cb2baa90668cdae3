#pragma once

#include <maskgrad/core/kernels/simd/recurrence_rows.hpp>
#include <maskgrad/core/kernels/simd/vector.hpp>

namespace maskgrad::kernels::simd {

/// A factor of 0 selects: what it meets is not read, so that NaN and infinity there reach nothing.
template <class L, class T>
struct RecurrenceStep {
  using V = Vec<L, T>;
  using vec = typename V::type;
  using bits = typename V::bits;

  [[gnu::always_inline]] static void forward(const T* a, const T* b, const T* before, T* h,
                                             std::int64_t count) {
    const vec factor = V::load(a, count), term = V::load(b, count);
    const vec state = before ? V::load(before, count) : vec{};
    const vec read = factor == T(0) ? vec{} : state;
    V::store(h, factor * read + term, count);
  }

  /// The vector `at` values behind a row's beginning. `all`: every pointer is there.
  template <bool all>
  [[gnu::always_inline]] static void backward(const RecurrenceRow<T>& row, const T* behind,
                                              T* carry, std::int64_t at, std::int64_t count) {
    const vec a = V::load(row.a + at, count);
    vec g = V::load(behind + at, count);
    if (all || row.dh) g = g + V::load(row.dh + at, count);
    const bits none = g == T(0);
    if (all || row.db) V::store(row.db + at, g, count);
    if (all || row.da) {
      const vec state = all || row.before ? V::load(row.before + at, count) : vec{};
      const bits odd = (state - state) != T(0);
      const vec share = (none | (odd & (a == T(0)))) ? vec{} : g * state;
      V::store(row.da + at, share, count);
    }
    const vec on = (none | (a == T(0))) ? vec{} : a * g;
    V::store(carry + at, on, count);
  }
};

/// f(at, count) for the vectors of a line. The last one may begin before the end of the one before
/// it, so that it is whole: the same values are written twice.
template <class V, class F>
[[gnu::always_inline]] inline void over_vectors(std::int64_t n, F f) {
  std::int64_t at = 0;
  for (; at + V::lanes <= n; at += V::lanes) f(at, std::int64_t{V::lanes});
  if (at == n) return;
  if (n >= V::lanes) {
    f(n - V::lanes, std::int64_t{V::lanes});
  } else {
    f(at, n - at);
  }
}

template <class L, class T>
void recurrence_forward(const T* a, const T* b, const T* before, T* h, std::int64_t n) {
  using Step = RecurrenceStep<L, T>;
  if (before) {
    over_vectors<Vec<L, T>>(
        n, [=](std::int64_t at, std::int64_t count) __attribute__((always_inline)) {
          Step::forward(a + at, b + at, before + at, h + at, count);
        });
  } else {
    over_vectors<Vec<L, T>>(
        n, [=](std::int64_t at, std::int64_t count) __attribute__((always_inline)) {
          Step::forward(a + at, b + at, nullptr, h + at, count);
        });
  }
}

template <class L, class T, bool all>
[[gnu::always_inline]] inline void recurrence_backward_as(const RecurrenceRow<T>& row,
                                                          const T* behind, T* carry,
                                                          std::int64_t n) {
  over_vectors<Vec<L, T>>(
      n, [=](std::int64_t at, std::int64_t count) __attribute__((always_inline)) {
        RecurrenceStep<L, T>::template backward<all>(row, behind, carry, at, count);
      });
}

template <class L, class T>
void recurrence_backward(const RecurrenceRow<T>& row, const T* behind, T* carry, std::int64_t n) {
  if (row.da && row.db && row.dh && row.before) {
    recurrence_backward_as<L, T, true>(row, behind, carry, n);
  } else {
    recurrence_backward_as<L, T, false>(row, behind, carry, n);
  }
}

template <class L, class T>
RecurrenceRows<T> recurrence_rows_at() {
  return {&recurrence_forward<L, T>, &recurrence_backward<L, T>};
}

}  // namespace maskgrad::kernels::simd
