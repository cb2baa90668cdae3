#pragma once

#include <limits>

#include <maskgrad/core/kernels/simd/level.hpp>
#include <maskgrad/core/kernels/simd/lines.hpp>
#include <maskgrad/core/kernels/simd/math.hpp>

namespace maskgrad::kernels::simd {

/// The functions of Lines at level L.
template <class L, class T>
struct LinesLevel {
  using V = Vec<L, T>;
  using vec = typename V::type;
  /// A vector of f64, and as many T.
  static constexpr int lanes = Vec<L, double>::lanes;
  using W = Vec<L, double>;
  using wide = typename W::type;
  typedef T narrow __attribute__((vector_size(lanes * sizeof(T))));

  [[gnu::always_inline]] static wide load(const T* p) {
    narrow v;
    __builtin_memcpy(&v, p, sizeof v);
    return __builtin_convertvector(v, wide);
  }
  [[gnu::always_inline]] static double across(wide v) {
    double all = 0;
    for (int i = 0; i < lanes; ++i) all += v[i];
    return all;
  }
  /// The sum of f(x[i]) in f64; f takes vectors and numbers.
  template <class F>
  [[gnu::always_inline]] static double total(const T* x, std::int64_t n, F f) {
    wide s0{}, s1{}, s2{}, s3{};
    std::int64_t i = 0;
    for (; i + 4 * lanes <= n; i += 4 * lanes) {
      s0 += f(load(x + i));
      s1 += f(load(x + i + lanes));
      s2 += f(load(x + i + 2 * lanes));
      s3 += f(load(x + i + 3 * lanes));
    }
    double rest = 0;
    for (; i < n; ++i) rest += f(static_cast<double>(x[i]));
    return across((s0 + s1) + (s2 + s3)) + rest;
  }

  static double sum(const T* x, std::int64_t n) {
    return total(
        x, n, [](auto v) __attribute__((always_inline)) { return v; });
  }
  static double squares(const T* x, T mean, std::int64_t n) {
    const auto m = static_cast<double>(mean);
    return total(
        x, n, [m](auto v) __attribute__((always_inline)) { return (v - m) * (v - m); });
  }

  /// The sum of a vector's lanes, halves first.
  template <int n>
  struct Halves {
    typedef T type __attribute__((vector_size(n * sizeof(T))));
    typedef T half __attribute__((vector_size(n / 2 * sizeof(T))));
    [[gnu::always_inline]] static T sum(type v) {
      half parts[2];
      __builtin_memcpy(parts, &v, sizeof v);
      if constexpr (n == 2) {
        return parts[0][0] + parts[1][0];
      } else {
        return Halves<n / 2>::sum(parts[0] + parts[1]);
      }
    }
  };

  static void dots(const T* a, const T* rows, std::int64_t stride, std::int64_t count,
                   std::int64_t n, T* y) {
    for (std::int64_t r = 0; r < count; ++r, rows += stride) {
      vec sum{};
      std::int64_t i = 0;
      for (; i + V::lanes <= n; i += V::lanes) sum += V::load(a + i) * V::load(rows + i);
      if (i < n) sum += V::load(a + i, n - i) * V::load(rows + i, n - i);
      y[r] = Halves<V::lanes>::sum(sum);
    }
  }

  /// The same for up to four vectors of the row.
  [[gnu::always_inline]] static void weighted_block(const T* w, const T* rows, std::int64_t stride,
                                                    std::int64_t count, std::int64_t n, T* y) {
    vec sums[4] = {};
    for (int k = 0; k < 4; ++k) {
      if (n > k * V::lanes) sums[k] = V::load(y + k * V::lanes, n - k * V::lanes);
    }
    for (std::int64_t r = 0; r < count; ++r, rows += stride) {
      if (w[r] == T(0)) continue;
      const vec weight = V::splat(w[r]);
      for (int k = 0; k < 4; ++k) {
        const auto left = n - k * V::lanes;
        if (left > 0) sums[k] += weight * V::load(rows + k * V::lanes, left);
      }
    }
    for (int k = 0; k < 4; ++k) {
      const auto left = n - k * V::lanes;
      if (left > 0) V::store(y + k * V::lanes, sums[k], left);
    }
  }
  static void weighted_sum(const T* w, const T* rows, std::int64_t stride, std::int64_t count,
                           std::int64_t n, T* y) {
    for (std::int64_t i = 0; i < n; i += 4 * V::lanes) {
      const auto width = n - i < 4 * V::lanes ? n - i : 4 * V::lanes;
      weighted_block(w, rows + i, stride, count, width, y + i);
    }
  }

  static T greatest(const T* x, std::int64_t n) {
    constexpr T low = -std::numeric_limits<T>::infinity();
    vec top = V::splat(low), other = top;
    std::int64_t i = 0;
    // A NaN beats every value, and nothing beats it.
    const auto take = [](vec a, vec b) __attribute__((always_inline)) {
      return a > b || a != a ? a : b;
    };
    for (; i + 2 * V::lanes <= n; i += 2 * V::lanes) {
      top = take(top, V::load(x + i));
      other = take(other, V::load(x + i + V::lanes));
    }
    top = take(other, top);
    T best = low;
    const auto one = [&](T v) { best = best > v || best != best ? best : v; };
    for (int k = 0; k < V::lanes; ++k) one(top[k]);
    for (; i < n; ++i) one(x[i]);
    return best;
  }

  [[gnu::always_inline]] static vec share(const T* x, T top) {
    return Math<L, T>::exp_of_share(V::load(x) - top);
  }
  [[gnu::always_inline]] static vec share(const T* x, T top, std::int64_t count) {
    return Math<L, T>::exp_of_share(V::load(x, count) - top);
  }
  /// s += v, in f64.
  [[gnu::always_inline]] static void widen(wide (&s)[V::lanes / lanes], vec v) {
    T part[V::lanes];
    V::store(part, v);
    for (int k = 0; k < V::lanes / lanes; ++k) s[k] += load(part + k * lanes);
  }
  static double sum_exp(const T* x, T top, std::int64_t n) {
    wide s[V::lanes / lanes] = {};
    std::int64_t i = 0;
    // The line behind this one comes from memory while this one keeps the processor busy.
    const char* ahead = reinterpret_cast<const char*>(x) + n * static_cast<std::int64_t>(sizeof(T));
    // Four at a time in T: its two roundings cost less than widening each.
    for (; i + 4 * V::lanes <= n; i += 4 * V::lanes) {
      for (int k = 0; k < 4 * L::bytes; k += 64) __builtin_prefetch(ahead + k, 0, 2);
      ahead += 4 * L::bytes;
      const vec a = share(x + i, top) + share(x + i + V::lanes, top);
      const vec b = share(x + i + 2 * V::lanes, top) + share(x + i + 3 * V::lanes, top);
      widen(s, a + b);
    }
    for (; i + V::lanes <= n; i += V::lanes) widen(s, share(x + i, top));
    if (i < n) widen(s, V::keep(share(x + i, top, n - i), n - i));
    double all = 0;
    for (const wide& v : s) all += across(v);
    return all;
  }
  template <bool add>
  static void exp_scaled(const T* x, T top, T scale, T* y, std::int64_t n) {
    std::int64_t i = 0;
    for (; i + V::lanes <= n; i += V::lanes) {
      const vec v = share(x + i, top) * scale;
      V::store(y + i, add ? v + V::load(y + i) : v);
    }
    if (i == n) return;
    const vec v = share(x + i, top, n - i) * scale;
    V::store(y + i, add ? v + V::load(y + i, n - i) : v, n - i);
  }
  static void exp_scaled(const T* x, T top, T scale, bool add, T* y, std::int64_t n) {
    add ? exp_scaled<true>(x, top, scale, y, n) : exp_scaled<false>(x, top, scale, y, n);
  }

  /// The greatest of the three is m, the others are u and v: m + log(1 + e^(u - m) + e^(v - m)).
  [[gnu::always_inline]] static vec log_sum3(vec a, vec b, vec c) {
    const vec high = b > a ? b : a, low = b > a ? a : b;  // a NaN in a stays
    const vec m = c > high ? c : high, v = c > high ? high : c;
    // Of nothing, m is -infinity, which is to be subtracted from nothing.
    constexpr T lowest = std::numeric_limits<T>::lowest();
    const vec by = m < lowest ? V::splat(lowest) : m;
    const vec rest = Math<L, T>::exp_of_share(low - by) + Math<L, T>::exp_of_share(v - by);
    return m + Math<L, T>::log_of_few(rest + T(1));
  }
  static void log_sum3(const T* a, const T* b, const T* c, const T* with_c, T* y, std::int64_t n) {
    std::int64_t i = 0;
    for (; i + V::lanes <= n; i += V::lanes) {
      V::store(y + i,
               log_sum3(V::load(a + i), V::load(b + i), V::load(c + i) + V::load(with_c + i)));
    }
    if (i == n) return;
    const auto left = n - i;
    V::store(y + i,
             log_sum3(V::load(a + i, left), V::load(b + i, left),
                      V::load(c + i, left) + V::load(with_c + i, left)),
             left);
  }

  static void add_sums(const T* x, double* __restrict a, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) a[i] += static_cast<double>(x[i]);
  }
  static void add_squares(const T* x, const T* mean, double* __restrict a, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) {
      const double d = static_cast<double>(x[i]) - static_cast<double>(mean[i]);
      a[i] += d * d;
    }
  }
  static void add_products(const T* x, const T* dy, const T* mean, const T* scale,
                           double* __restrict sum_dy, double* __restrict sum_d_normal,
                           std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) {
      const double up = static_cast<double>(dy[i]);
      sum_dy[i] += up;
      sum_d_normal[i] += up * static_cast<double>((x[i] - mean[i]) * scale[i]);
    }
  }

  static void normalize(const T* x, T mean, T scale, const T* gamma, const T* beta, T* __restrict y,
                        std::int64_t n) {
    if (gamma && beta) {
      for (std::int64_t i = 0; i < n; ++i) y[i] = (x[i] - mean) * scale * gamma[i] + beta[i];
      return;
    }
    for (std::int64_t i = 0; i < n; ++i) {
      y[i] = (x[i] - mean) * scale * (gamma ? gamma[i] : T(1)) + (beta ? beta[i] : T(0));
    }
  }

  static NormalizeSums normalize_sums(const T* x, T mean, T scale, const T* gamma, const T* dy,
                                      double* dgamma, double* dbeta, std::int64_t n) {
    const auto m = static_cast<double>(mean), r = static_cast<double>(scale);
    wide d{}, product{};
    std::int64_t i = 0;
    for (; i + lanes <= n; i += lanes) {
      const wide up = load(dy + i), normal = (load(x + i) - m) * r;
      const wide down = gamma ? up * load(gamma + i) : up;
      d += down;
      product += down * normal;
      add_to(dgamma + i, up * normal);
      add_to(dbeta + i, up);
    }
    NormalizeSums sums{across(d), across(product)};
    for (; i < n; ++i) {
      const double up = static_cast<double>(dy[i]), normal = (static_cast<double>(x[i]) - m) * r;
      const double down = gamma ? up * static_cast<double>(gamma[i]) : up;
      sums.sum_d += down;
      sums.sum_d_normal += down * normal;
      dgamma[i] += up * normal;
      dbeta[i] += up;
    }
    return sums;
  }

  static void normalize_gradient(const T* x, T mean, T scale, const T* gamma, const T* dy, T mean_d,
                                 T mean_normal, T* __restrict dx, std::int64_t n) {
    const T k = scale * mean_normal;
    if (gamma) {
      for (std::int64_t i = 0; i < n; ++i) {
        dx[i] = scale * (dy[i] * gamma[i] - mean_d - (x[i] - mean) * k);
      }
      return;
    }
    for (std::int64_t i = 0; i < n; ++i) dx[i] = scale * (dy[i] - mean_d - (x[i] - mean) * k);
  }

 private:
  [[gnu::always_inline]] static void add_to(double* to, wide v) { W::store(to, W::load(to) + v); }
};

template <class L, class T>
Lines<T> lines_at() {
  using F = LinesLevel<L, T>;
  return {.sum = F::sum,
          .squares = F::squares,
          .greatest = F::greatest,
          .sum_exp = F::sum_exp,
          .exp_scaled = F::exp_scaled,
          .log_sum3 = F::log_sum3,
          .dots = F::dots,
          .weighted_sum = F::weighted_sum,
          .add_sums = F::add_sums,
          .add_squares = F::add_squares,
          .add_products = F::add_products,
          .normalize = F::normalize,
          .normalize_sums = F::normalize_sums,
          .normalize_gradient = F::normalize_gradient};
}

}  // namespace maskgrad::kernels::simd
