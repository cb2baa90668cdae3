#pragma once

#include <cstdint>

namespace maskgrad::kernels::simd {

/// y[i] = f(x[i]) for i < n; y may be x. f32 within 2 ulp and f64 within 4 over the whole range,
/// subnormal numbers, infinities and NaN included (softplus within 3 and 5). A value's result does
/// not depend on where in the array it stands, nor on n.
/// log_cosh is within 6 and 8.
/// gelu is x P(X <= x), X a standard normal number, and gelu_slope its derivative: within x^2 ulp
/// more in the lower tail.
void exp(const float* x, float* y, std::int64_t n);
void exp(const double* x, double* y, std::int64_t n);
void tanh(const float* x, float* y, std::int64_t n);
void tanh(const double* x, double* y, std::int64_t n);
void sigmoid(const float* x, float* y, std::int64_t n);
void sigmoid(const double* x, double* y, std::int64_t n);
void expm1(const float* x, float* y, std::int64_t n);
void expm1(const double* x, double* y, std::int64_t n);
void softplus(const float* x, float* y, std::int64_t n);
void softplus(const double* x, double* y, std::int64_t n);
void log_cosh(const float* x, float* y, std::int64_t n);
void log_cosh(const double* x, double* y, std::int64_t n);
void log(const float* x, float* y, std::int64_t n);
void log(const double* x, double* y, std::int64_t n);
void gelu(const float* x, float* y, std::int64_t n);
void gelu(const double* x, double* y, std::int64_t n);
void gelu_slope(const float* x, float* y, std::int64_t n);
void gelu_slope(const double* x, double* y, std::int64_t n);

/// The same by level; each level defines its own.
template <class L, class T>
struct Arrays {
  static void exp(const T* x, T* y, std::int64_t n);
  static void tanh(const T* x, T* y, std::int64_t n);
  static void sigmoid(const T* x, T* y, std::int64_t n);
  static void expm1(const T* x, T* y, std::int64_t n);
  static void softplus(const T* x, T* y, std::int64_t n);
  static void log_cosh(const T* x, T* y, std::int64_t n);
  static void log(const T* x, T* y, std::int64_t n);
  static void gelu(const T* x, T* y, std::int64_t n);
  static void gelu_slope(const T* x, T* y, std::int64_t n);
};

}  // namespace maskgrad::kernels::simd
