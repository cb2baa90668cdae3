#pragma once

#include <cstdint>

namespace maskgrad::kernels::simd {

/// Sums over a line of d = dy gamma and of d normal, with normal = (x - mean) scale.
struct NormalizeSums {
  double sum_d, sum_d_normal;
};

/// What is done with lines of n values side by side. Sums run in f64, in an order that depends on n
/// and the level alone. A null gamma is 1, a null beta 0; outputs overlap no input unless said.
template <class T>
struct Lines {
  double (*sum)(const T* x, std::int64_t n);
  /// Of (x - mean)^2.
  double (*squares)(const T* x, T mean, std::int64_t n);
  /// NaN where there is one, -infinity of nothing.
  T (*greatest)(const T* x, std::int64_t n);
  /// Of e^(x - top), which has two roundings of T at most before it is summed.
  double (*sum_exp)(const T* x, T top, std::int64_t n);
  /// y = scale e^(x - top), or y + that; x is about top at most, and e^x is 0 where it would be
  /// subnormal. y may be x.
  void (*exp_scaled)(const T* x, T top, T scale, bool add, T* y, std::int64_t n);
  /// y = log(e^a + e^b + e^(c + with_c)); -infinity stands for nothing.
  void (*log_sum3)(const T* a, const T* b, const T* c, const T* with_c, T* y, std::int64_t n);

  /// Of rows `stride` values apart: y[r] = the sum of a[i] rows[r][i].
  void (*dots)(const T* a, const T* rows, std::int64_t stride, std::int64_t count, std::int64_t n,
               T* y);
  /// y += the sum of w[r] rows[r]; a row of weight 0 is not read.
  void (*weighted_sum)(const T* w, const T* rows, std::int64_t stride, std::int64_t count,
                       std::int64_t n, T* y);

  // Value by value: a += x; a += (x - mean)^2;
  // sum_dy += dy and sum_d_normal += dy (x - mean) scale.
  void (*add_sums)(const T* x, double* a, std::int64_t n);
  void (*add_squares)(const T* x, const T* mean, double* a, std::int64_t n);
  void (*add_products)(const T* x, const T* dy, const T* mean, const T* scale, double* sum_dy,
                       double* sum_d_normal, std::int64_t n);

  /// y = (x - mean) scale gamma + beta.
  void (*normalize)(const T* x, T mean, T scale, const T* gamma, const T* beta, T* y,
                    std::int64_t n);
  /// Adds dy normal to dgamma and dy to dbeta too, value by value.
  NormalizeSums (*normalize_sums)(const T* x, T mean, T scale, const T* gamma, const T* dy,
                                  double* dgamma, double* dbeta, std::int64_t n);
  /// dx = scale (dy gamma - mean_d - normal mean_normal).
  void (*normalize_gradient)(const T* x, T mean, T scale, const T* gamma, const T* dy, T mean_d,
                             T mean_normal, T* dx, std::int64_t n);
};

/// Those of the level in use.
template <class T>
const Lines<T>& lines();
/// Those of level L; each level makes its own.
template <class L, class T>
Lines<T> lines_at();

}  // namespace maskgrad::kernels::simd
