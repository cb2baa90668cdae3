#pragma once

#include <maskgrad/core/kernels/simd/arrays.hpp>
#include <maskgrad/core/kernels/simd/level.hpp>
#include <maskgrad/core/kernels/simd/normal.hpp>

namespace maskgrad::kernels::simd {

/// The last vector is padded, and takes the same code.
template <class L, class T, class F>
[[gnu::always_inline]] inline void map_array(const T* x, T* y, std::int64_t n, F f) {
  using V = Vec<L, T>;
  for (std::int64_t i = 0; i < n; i += V::lanes) V::store(y + i, f(V::load(x + i, n - i)), n - i);
}

template <class L, class T>
void Arrays<L, T>::exp(const T* x, T* y, std::int64_t n) {
  map_array<L>(
      x, y, n, [](auto v) __attribute__((always_inline)) { return Math<L, T>::exp(v); });
}
template <class L, class T>
void Arrays<L, T>::tanh(const T* x, T* y, std::int64_t n) {
  map_array<L>(
      x, y, n, [](auto v) __attribute__((always_inline)) { return Math<L, T>::tanh(v); });
}
template <class L, class T>
void Arrays<L, T>::sigmoid(const T* x, T* y, std::int64_t n) {
  map_array<L>(
      x, y, n, [](auto v) __attribute__((always_inline)) { return Math<L, T>::sigmoid(v); });
}
template <class L, class T>
void Arrays<L, T>::expm1(const T* x, T* y, std::int64_t n) {
  map_array<L>(
      x, y, n, [](auto v) __attribute__((always_inline)) { return Math<L, T>::expm1(v); });
}
template <class L, class T>
void Arrays<L, T>::softplus(const T* x, T* y, std::int64_t n) {
  map_array<L>(
      x, y, n, [](auto v) __attribute__((always_inline)) { return Math<L, T>::softplus(v); });
}
template <class L, class T>
void Arrays<L, T>::log_cosh(const T* x, T* y, std::int64_t n) {
  map_array<L>(
      x, y, n, [](auto v) __attribute__((always_inline)) { return Math<L, T>::log_cosh(v); });
}
template <class L, class T>
void Arrays<L, T>::log(const T* x, T* y, std::int64_t n) {
  map_array<L>(
      x, y, n, [](auto v) __attribute__((always_inline)) { return Math<L, T>::log(v); });
}
template <class L, class T>
void Arrays<L, T>::gelu(const T* x, T* y, std::int64_t n) {
  map_array<L>(
      x, y, n, [](auto v) __attribute__((always_inline)) { return Normal<L, T>::gelu(v); });
}
template <class L, class T>
void Arrays<L, T>::gelu_slope(const T* x, T* y, std::int64_t n) {
  map_array<L>(
      x, y, n, [](auto v) __attribute__((always_inline)) { return Normal<L, T>::gelu_slope(v); });
}

}  // namespace maskgrad::kernels::simd
