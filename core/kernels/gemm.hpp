#pragma once

#include <cstdint>

namespace maskgrad::kernels {

/// A matrix in row-major order, `stride` values from row to row; `transposed` reads it the other
/// way.
template <class T>
struct Matrix {
  const T* data = nullptr;
  std::int64_t stride = 0;
  bool transposed = false;
};

/// c [m, n] = a [m, k] b [k, n] + (add ? c : 0), c row-major with n values a row. Split over
/// threads in parts that depend on the sizes alone; OpenBLAS runs on one thread in each.
template <class T>
void gemm(std::int64_t m, std::int64_t n, std::int64_t k, Matrix<T> a, Matrix<T> b, T* c, bool add);

}  // namespace maskgrad::kernels
