#pragma once

#include <limits>

#include <maskgrad/core/kernels/simd/vector.hpp>

namespace maskgrad::kernels::simd {

/// Numbers of exp by type. `poly` is a Chebyshev fit to (e^r - 1 - r) / r^2 over |r| <= ln(2) / 2,
/// `tanh_poly` one to (tanh(x) / x - 1) / x^2 in x^2 over |x| <= 0.4, both highest power first;
/// ln2_high has so few bits that its product with an exponent is exact.
template <class T>
struct ExpNumbers;

template <>
struct ExpNumbers<float> {
  static constexpr int mantissa = 23;
  static constexpr int bias = 127;
  static constexpr float rounder = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
  static constexpr float log2e = 1.44269504088896341f;
  static constexpr float ln2_high = 0.693359375f;
  static constexpr float ln2_low = -2.1219444005469058e-4f;
  static constexpr float lowest = -104.0f;  // e^x rounds to 0 below
  static constexpr float lowest_normal = -87.3f;
  static constexpr float highest = 89.0f;  // and to infinity above
  static constexpr float tanh_one = 9.1f;  // tanh rounds to 1 above
  static constexpr float poly[] = {1.3927684631198645e-3f, 8.364380337297916e-3f,
                                   4.166654497385025e-2f, 1.666657030582428e-1f, 0.5f};
  static constexpr float tanh_poly[] = {1.926804520189762e-2f, -5.371512100100517e-2f,
                                        1.3332532346248627e-1f, -3.33333283662796e-1f};
};

template <>
struct ExpNumbers<double> {
  static constexpr int mantissa = 52;
  static constexpr int bias = 1023;
  static constexpr double rounder = 6755399441055744.0;  // 1.5 * 2^52
  static constexpr double log2e = 1.4426950408889634074;
  static constexpr double ln2_high = 45426.0 / 65536.0;
  static constexpr double ln2_low = 1.4286068203094172321e-6;
  static constexpr double lowest = -746.0;
  static constexpr double lowest_normal = -708.3;
  static constexpr double highest = 710.0;
  static constexpr double tanh_one = 19.1;
  static constexpr double poly[] = {
      2.5102327723609146e-8, 2.762261407861969e-7, 2.7557264294679126e-6, 2.4801515879478315e-5,
      1.9841269865788537e-4, 1.388888892077012e-3, 8.333333333329503e-3,  4.1666666666616864e-2,
      1.6666666666666669e-1, 5.000000000000001e-1};
  static constexpr double tanh_poly[] = {
      -1.7983670332957593e-4, 5.732117073728595e-4,  -1.4531879554384325e-3,
      3.5918824420581286e-3,  -8.863222061310261e-3, 2.186948811976278e-2,
      -5.396825396178988e-2,  1.3333333333329464e-1, -3.333333333333333e-1};
};

/// exp, log, tanh and sigmoid of a vector, each lane by itself: a value's result does not depend on
/// the lane it stands in. NaN stays NaN. Source: the usual reduction x = n ln 2 + r, e^x = 2^n e^r;
/// constants are ours.
template <class L, class T>
struct Math {
  using V = Vec<L, T>;
  using vec = typename V::type;
  using bits = typename V::bits;
  using N = ExpNumbers<T>;

  /// x = n ln 2 + r: n as a vector of integers, and e^r - 1.
  struct Reduced {
    bits n;
    vec expm1;
  };

  template <int terms>
  [[gnu::always_inline]] static vec polynomial(const T (&factors)[terms], vec x) {
    vec p = V::splat(factors[0]);
#pragma GCC unroll 16
    for (int i = 1; i < terms; ++i) p = p * x + factors[i];
    return p;
  }

  [[gnu::always_inline]] static Reduced reduce(vec x) {
    const vec shifted = x * N::log2e + N::rounder;
    const vec n = shifted - N::rounder;
    const vec r = (x - n * N::ln2_high) - n * N::ln2_low;
    const vec p = polynomial(N::poly, r);
    return {V::as_bits(shifted) - V::as_bits(V::splat(N::rounder)), (r * r) * p + r};
  }

  [[gnu::always_inline]] static vec power_of_two(bits n) {
    return V::from_bits((n + N::bias) << N::mantissa);
  }

  /// In two halves, so that 2^n may be subnormal or beyond the largest number.
  [[gnu::always_inline]] static vec scale(vec x, bits n) {
    const bits half = n >> 1;
    return x * power_of_two(half) * power_of_two(n - half);
  }

  [[gnu::always_inline]] static vec exp(vec x) {
    // A comparison with NaN is false, so NaN gets through both.
    x = x < N::lowest ? V::splat(N::lowest) : x;
    x = x > N::highest ? V::splat(N::highest) : x;
    const Reduced e = reduce(x);
    return scale(e.expm1 + T{1}, e.n);
  }

  /// e^x for what is a share of a sum, x at or about below 0: cheaper, and 0 where e^x would be
  /// subnormal.
  [[gnu::always_inline]] static vec exp_of_share(vec x) {
    const Reduced e = reduce(x);
    const vec y = (e.expm1 + T{1}) * power_of_two(e.n);
    return x < N::lowest_normal ? vec{} : y;
  }

  /// e^x - 1, exact to the last bits near 0 too: 2^n q + (2^n - 1), halved so that 2^n stays
  /// finite.
  [[gnu::always_inline]] static vec expm1(vec x) {
    x = x < T(-50) ? V::splat(T(-50)) : x;  // -1 from far above on
    x = x > N::highest ? V::splat(N::highest) : x;
    const Reduced e = reduce(x);
    const vec half = power_of_two(e.n - 1);
    const vec y = half * e.expm1 + (half - T(0.5));
    return y + y;
  }

  /// log(1 + e) for e in [0, 1], by the series of 2 atanh(e / (2 + e)).
  [[gnu::always_inline]] static vec log1p_of_share(vec e) {
    const vec z = e / (e + T(2)), square = z * z, fourth = square * square;
    constexpr int last = sizeof(T) == 4 ? 13 : 33;  // of the odd powers, in pairs
    vec even = V::splat(T(1) / static_cast<T>(last)),
        odd = V::splat(T(1) / static_cast<T>(last + 2));
#pragma GCC unroll 16
    for (int k = last - 4; k >= 5; k -= 4) {
      even = even * fourth + T(1) / static_cast<T>(k);
      odd = odd * fourth + T(1) / static_cast<T>(k + 2);
    }
    // The first term by itself: it alone decides the last bits.
    const vec twice = z + z, rest = even * square + (odd * fourth + T(1) / T(3));
    return twice * square * rest + twice;
  }

  /// log cosh x. With m = e^-|x| - 1, cosh x - 1 is m^2 / (2 (1 + m)), in which no digits are lost
  /// near 0; from 1 on it is |x| + log(1 + e^(-2 |x|)) - log 2.
  [[gnu::always_inline]] static vec log_cosh(vec x) {
    const vec size = absolute(x), m = expm1(-size), e = m + T(1);
    const vec part = log1p_of_share(size < T(1) ? m * m / (e + e) : e * e);
    return size < T(1) ? part : part + (size - T(0.693147180559945309417));
  }

  /// log(1 + e^x) = max(x, 0) + log(1 + e^-|x|).
  [[gnu::always_inline]] static vec softplus(vec x) {
    const vec size = absolute(x);
    return (x < T(0) ? vec{} : x) + log1p_of_share(exp(-size));
  }

  /// log x for x in [1, 3], by the series of atanh: log x = 2 atanh((x - 1) / (x + 1)), of x / 2
  /// where x is above 1.5.
  [[gnu::always_inline]] static vec log_of_few(vec x) {
    const vec half = x > T(1.5) ? x * T(0.5) : x;
    const vec z = (half - T(1)) / (half + T(1)), square = z * z, fourth = square * square;
    // Even and odd terms side by side: half the latency.
    vec even = V::splat(T(1.0 / 21)), odd = V::splat(T(1.0 / 23));
#pragma GCC unroll 8
    for (int k = 17; k >= 1; k -= 4) {
      even = even * fourth + T(1) / static_cast<T>(k);
      odd = odd * fourth + T(1) / static_cast<T>(k + 2);
    }
    return (z + z) * (odd * square + even) +
           (x > T(1.5) ? V::splat(T(0.693147180559945309417)) : vec{});
  }

  /// x = 2^n (1 + f) with 1 + f from sqrt(1/2) to sqrt(2), and log(1 + f) = f - (h - z (h + r)),
  /// h = f^2 / 2, z = f / (2 + f), r by the series of atanh.
  /// Source: Ng 1993 (fdlibm, e_log.c): its arrangement of the terms.
  [[gnu::always_inline]] static vec log(vec x) {
    using Limits = std::numeric_limits<T>;
    constexpr T smallest = Limits::min(), largest = Limits::max(), up = 2 / Limits::epsilon();
    constexpr T infinity = Limits::infinity(), nan = Limits::quiet_NaN();
    const bits tiny = x < smallest;
    const vec scaled = tiny ? x * up : x;
    const bits middle = V::as_bits(V::splat(T(0.70710678118654752440)));
    const bits n = (V::as_bits(scaled) - middle) >> N::mantissa;
    const vec f = V::from_bits(V::as_bits(scaled) - (n << N::mantissa)) - T(1);
    const vec power = __builtin_convertvector(tiny ? n - (N::mantissa + 1) : n, vec);
    const vec z = f / (f + T(2)), square = z * z;
    constexpr int last = sizeof(T) == 4 ? 11 : 21;  // of the odd powers
    vec r = V::splat(T(2) / static_cast<T>(last));
#pragma GCC unroll 16
    for (int k = last - 2; k >= 3; k -= 2) r = r * square + T(2) / static_cast<T>(k);
    const vec h = f * f * T(0.5);
    const vec small = z * (r * square + h) + power * N::ln2_low;
    const vec y = power * N::ln2_high - ((h - small) - f);
    const vec edge = x == T(0) ? V::splat(-infinity) : V::splat(nan);
    const vec most = x > largest ? x : y;
    return x > T(0) ? most : edge;
  }

  [[gnu::always_inline]] static vec absolute(vec x) {
    return V::from_bits(V::as_bits(x) & ~V::as_bits(V::splat(T(-0.0))));
  }

  /// 1 / (1 + e^-x) as a / (a + a e^-x), where the power of two a keeps e^-x and the result in
  /// range; e^-x = 2^n (1 + q) is never rounded by itself.
  [[gnu::always_inline]] static vec sigmoid(vec x) {
    x = x < N::lowest ? V::splat(N::lowest) : x;
    x = x > -N::lowest ? V::splat(-N::lowest) : x;
    const Reduced e = reduce(-x);
    const bits half = e.n >> 1;
    const vec a = power_of_two(-half);
    const vec b = power_of_two(e.n - half);
    // a + b is exact unless e^-x is huge or tiny; there the small one goes to the small term.
    const bits huge = e.n > 8;
    const vec small = huge ? a : a + b;
    const vec rest = huge ? b : vec{};
    return a / ((b * e.expm1 + small) + rest);
  }

  /// t / (t + 2) with t = e^2|x| - 1, and the sign of x; an odd polynomial where x is small and
  /// the quotient's roundings would show.
  [[gnu::always_inline]] static vec tanh(vec x) {
    const bits sign = V::as_bits(V::splat(T(-0.0)));
    vec a = absolute(x);
    a = a > N::tanh_one ? V::splat(N::tanh_one) : a;
    const Reduced e = reduce(a + a);
    const vec s = power_of_two(e.n);
    const vec t = e.expm1 * s + (s - T{1});
    const vec u = a * a;
    const vec near = (a * u) * polynomial(N::tanh_poly, u) + a;
    const vec y = a < T(0.39) ? near : t / (t + T{2});
    return V::from_bits(V::as_bits(y) | (V::as_bits(x) & sign));
  }
};

}  // namespace maskgrad::kernels::simd
