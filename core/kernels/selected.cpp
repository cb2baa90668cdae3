#include <maskgrad/core/kernels/selected.hpp>

#include <maskgrad/core/kernels/add_to.hpp>

namespace maskgrad::kernels {
namespace {

template <class T>
Entries<const T> entries(const Matrix<T>& x) {
  return x.transposed ? Entries<const T>{x.data, 1, x.stride}
                      : Entries<const T>{x.data, x.stride, 1};
}

/// Values from the first to the last of a matrix read as [rows, columns].
template <class T>
std::int64_t span(const Matrix<T>& x, std::int64_t rows, std::int64_t columns) {
  const auto lines = x.transposed ? columns : rows, width = x.transposed ? rows : columns;
  return (lines - 1) * x.stride + width;
}

template <class T>
Matrix<T> finite(const Matrix<T>& x, const extend::Pooled<T>& values) {
  return {values.data(), x.stride, x.transposed};
}

template <class T>
bool has_zero(const T* x, std::int64_t n) {
  return std::find(x, x + n, T(0)) != x + n;
}

/// Of finite parts, and what these lack.
template <class T>
void apart(std::int64_t m, std::int64_t n, std::int64_t k, Selects selects, const Matrix<T>& a,
           const Matrix<T>& b, T* c, bool add) {
  const bool left = selects == Selects::left;
  const auto part = left ? finite_part(b.data, span(b, k, n)) : finite_part(a.data, span(a, m, k));
  if (left) {
    gemm<T>(m, n, k, a, finite(b, part), c, add);
  } else {
    gemm<T>(m, n, k, finite(a, part), b, c, add);
  }
  add_odd_products<T>(m, n, k, selects, T(1), entries(a), entries(b), {c, n, 1});
}

}  // namespace

template <class T>
bool all_finite_of(const T* x, std::int64_t n) {
  const auto shards = extend::shard_count(n, elementwise_grain);
  if (shards <= 1) return all_finite(x, n);
  extend::Pooled<std::uint8_t> finite(shards);
  extend::parallel_for(shards, [&](std::int64_t s) {
    const auto from = extend::shard_begin(n, shards, s);
    finite[s] = all_finite(x + from, extend::shard_begin(n, shards, s + 1) - from);
  });
  return std::find(finite.begin(), finite.end(), 0) == finite.end();
}

template <class T>
extend::Pooled<T> finite_part(const T* x, std::int64_t n) {
  extend::Pooled<T> part(n);
  for (std::int64_t i = 0; i < n; ++i) {
    part[i] = std::abs(x[i]) <= std::numeric_limits<T>::max() ? x[i] : T(0);
  }
  return part;
}

template <class T>
void add_odd_products(std::int64_t m, std::int64_t n, std::int64_t k, Selects selects, T scale,
                      Entries<const T> a, Entries<const T> b, Entries<T> c) {
  const bool by_a = selects != Selects::right, by_b = selects != Selects::left;
  const auto add = [&](std::int64_t i, std::int64_t l, std::int64_t j) {
    if ((by_a && a(i, l) == 0) || (by_b && b(l, j) == 0)) return;
    c(i, j) += scale * a(i, l) * b(l, j);
  };
  for (std::int64_t l = 0; l < k; ++l) {
    for (std::int64_t i = 0; by_b && i < m; ++i) {
      for (std::int64_t j = 0; !std::isfinite(a(i, l)) && j < n; ++j) add(i, l, j);
    }
    for (std::int64_t j = 0; by_a && j < n; ++j) {
      if (std::isfinite(b(l, j))) continue;
      for (std::int64_t i = 0; i < m; ++i) {
        if (!by_b || std::isfinite(a(i, l))) add(i, l, j);
      }
    }
  }
}

template <class T>
void gemm_selected(std::int64_t m, std::int64_t n, std::int64_t k, Selects selects, Matrix<T> a,
                   Matrix<T> b, T* c, bool add) {
  if (m == 0 || n == 0 || k == 0) return gemm<T>(m, n, k, a, b, c, add);
  const bool left = selects == Selects::left;
  const T* read = left ? b.data : a.data;
  const auto size = left ? span(b, k, n) : span(a, m, k), results = m * n;
  const auto zeros = [&] {
    return left ? has_zero(a.data, span(a, m, k)) : has_zero(b.data, span(b, k, n));
  };
  // The smaller of what is read and what is made says whether there is anything to select.
  if (size <= 2 * results) {
    if (all_finite_of(read, size) || !zeros()) return gemm<T>(m, n, k, a, b, c, add);
    return apart(m, n, k, selects, a, b, c, add);
  }
  extend::Pooled<T> before(add ? results : 0);
  if (add) std::copy_n(c, results, before.data());
  gemm<T>(m, n, k, a, b, c, add);
  if (all_finite_of(c, results) || all_finite_of(read, size) || !zeros()) return;
  if (add) std::copy_n(before.data(), results, c);
  apart(m, n, k, selects, a, b, c, add);
}

template bool all_finite_of(const float*, std::int64_t);
template extend::Pooled<float> finite_part(const float*, std::int64_t);
template void add_odd_products(std::int64_t, std::int64_t, std::int64_t, Selects, float,
                               Entries<const float>, Entries<const float>, Entries<float>);
template void gemm_selected(std::int64_t, std::int64_t, std::int64_t, Selects, Matrix<float>,
                            Matrix<float>, float*, bool);
template bool all_finite_of(const double*, std::int64_t);
template extend::Pooled<double> finite_part(const double*, std::int64_t);
template void add_odd_products(std::int64_t, std::int64_t, std::int64_t, Selects, double,
                               Entries<const double>, Entries<const double>, Entries<double>);
template void gemm_selected(std::int64_t, std::int64_t, std::int64_t, Selects, Matrix<double>,
                            Matrix<double>, double*, bool);

}  // namespace maskgrad::kernels
