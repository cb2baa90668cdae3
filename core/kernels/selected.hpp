#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include <maskgrad/core/kernels/gemm.hpp>
#include <maskgrad/core/pooled.hpp>

/// The rule that a factor of 0 is a selection: what meets an incoming gradient, a probability or a
/// weight of 0 is not read, so that NaN and infinity there reach nothing. Everything that
/// multiplies by one of these does it by what stands here.
namespace maskgrad::kernels {

/// a b, and 0 where either factor is. Nothing branches, for which loops become vectors.
template <class T>
constexpr T selected(T a, T b) {
  const T product = a * b;
  return ((a == 0) | (b == 0)) ? T(0) : product;
}

/// `share`, what of dy goes on, and 0 where dy is.
template <class T>
constexpr T selected_by(T dy, T share) {
  return dy == 0 ? T(0) : share;
}

template <class T>
bool all_zero(const T* x, std::int64_t n) {
  int other = 0;
  for (std::int64_t i = 0; i < n; ++i) other |= x[i] != 0;
  return other == 0;
}

template <class T>
bool all_finite(const T* x, std::int64_t n) {
  std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t> odd = 0;
  for (std::int64_t i = 0; i < n; ++i) odd |= !(std::abs(x[i]) <= std::numeric_limits<T>::max());
  return odd == 0;
}

/// The same for many values, over threads.
template <class T>
bool all_finite_of(const T* x, std::int64_t n);

/// x, with 0 for what is not finite.
template <class T>
extend::Pooled<T> finite_part(const T* x, std::int64_t n);

/// A matrix as it is read: value (i, j) is data[i * row + j * column].
template <class T>
struct Entries {
  T* data;
  std::int64_t row, column;
  T& operator()(std::int64_t i, std::int64_t j) const { return data[i * row + j * column]; }
};

/// Which factor of a product selects: a 0 in it reads nothing of the other.
enum class Selects { left, right, both };

/// c [m, n] += scale a [m, k] b [k, n], of the products that the finite parts of a and b lack:
/// those in which a factor is not finite, and none that a 0 selects away.
template <class T>
void add_odd_products(std::int64_t m, std::int64_t n, std::int64_t k, Selects selects, T scale,
                      Entries<const T> a, Entries<const T> b, Entries<T> c);

/// As gemm, with a factor (an incoming gradient) whose zeros read nothing of the other. For finite
/// values it is gemm to the last bit, and takes as long.
template <class T>
void gemm_selected(std::int64_t m, std::int64_t n, std::int64_t k, Selects selects, Matrix<T> a,
                   Matrix<T> b, T* c, bool add);

}  // namespace maskgrad::kernels
