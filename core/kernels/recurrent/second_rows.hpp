#pragma once

#include <cstdint>

namespace maskgrad::kernels::recurrent {

/// A row of `units` values, and how they change.
template <class T>
struct ConstRow {
  const T *v, *d;
};
template <class T>
struct Row {
  T *v, *d;
  operator ConstRow<T>() const { return {v, d}; }
};

/// The gates of one row in both passes of recurrent_second, with what changes carried along. Rows
/// do not overlap.
template <class T>
struct SecondRows {
  /// to += from, n values.
  void (*add)(std::int64_t n, Row<T> to, ConstRow<T> from);
  /// v is f(sum) already: d, the sum's change, becomes that of v. f is tanh, or sigmoid.
  void (*after_tanh)(std::int64_t n, Row<T> x);
  void (*after_sigmoid)(std::int64_t n, Row<T> x);
  /// y = a b, and sum += a b.
  void (*multiply)(std::int64_t n, Row<T> y, ConstRow<T> a, ConstRow<T> b);
  void (*add_product)(std::int64_t n, Row<T> sum, ConstRow<T> a, ConstRow<T> b);
  /// h = z h + (1 - z) next.
  void (*gru)(std::int64_t n, Row<T> h, ConstRow<T> z, ConstRow<T> next);
  /// c = keep c + in next.
  void (*lstm)(std::int64_t n, Row<T> c, ConstRow<T> keep, ConstRow<T> in, ConstRow<T> next);

  /// From dh to the sum's gradient; dh becomes what goes to the step before: nothing.
  void (*simple_back)(std::int64_t n, Row<T> dh, Row<T> d, ConstRow<T> y);
  /// The same of z and of the new state; dh becomes dh z.
  void (*gru_back)(std::int64_t n, Row<T> dh, Row<T> dz, Row<T> dnext, ConstRow<T> z,
                   ConstRow<T> next, ConstRow<T> h);
  /// Of what r multiplies, with reset_after: dq = dnext r, dr = dnext q r (1 - r).
  void (*reset_after_back)(std::int64_t n, Row<T> dq, Row<T> dr, ConstRow<T> dnext, ConstRow<T> r,
                           ConstRow<T> q);
  /// Of r h: dr = dq h r (1 - r), dh += dq r.
  void (*reset_before_back)(std::int64_t n, Row<T> dh, Row<T> dr, ConstRow<T> dq, ConstRow<T> r,
                            ConstRow<T> h);
  /// The gradients of all four sums; `gates` and `d` begin with that of the first.
  void (*lstm_back)(std::int64_t n, Row<T> dh, Row<T> dc, Row<T> d, ConstRow<T> gates,
                    ConstRow<T> c, ConstRow<T> tanh_c);
};

/// That of the SIMD level in use.
template <class T>
const SecondRows<T>& second_rows();

/// The code of one level.
template <class L, class T>
struct SecondRowsOf {
  static const SecondRows<T>& table();
};

}  // namespace maskgrad::kernels::recurrent
