#pragma once

#include <maskgrad/core/kernels/simd/arrays.hpp>
#include <maskgrad/core/kernels/simd/level.hpp>
#include <maskgrad/core/kernels/simd/math.hpp>

namespace maskgrad::kernels::simd {

/// Full vectors, then a padded one, so that the tail takes the same path.
template <class L, class T, class F>
[[gnu::always_inline]] inline void map_array(const T* x, T* y, std::int64_t n, F f) {
  using V = Vec<L, T>;
  std::int64_t i = 0;
  for (; i + V::lanes <= n; i += V::lanes) V::store(y + i, f(V::load(x + i)));
  if (i < n) V::store(y + i, f(V::load(x + i, n - i)), n - i);
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

}  // namespace maskgrad::kernels::simd
