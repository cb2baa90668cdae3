#pragma once

#include <maskgrad/core/kernels/simd/math.hpp>

namespace maskgrad::kernels::simd {

/// `poly` is a Chebyshev fit to (1 + 2z) e^(z^2) erfc(z) in t = (z - middle) / (z + middle) over
/// z >= 0, highest power first.
template <class T>
struct NormalNumbers;

template <>
struct NormalNumbers<float> {
  static constexpr float end = 15.0f;  // no normal number is above, in this type
  static constexpr float middle = 3.0f;
  static constexpr float poly[] = {-2.73595999e-4f, -7.88120753e-4f, 2.00177123e-3f,
                                   2.57685652e-3f,  -2.37946645e-2f, 6.82930291e-2f,
                                   -1.19271919e-1f, 1.29646715e-1f,  -4.75623182e-2f,
                                   -1.35621149e-1f, 1.25300806f};
};

template <>
struct NormalNumbers<double> {
  static constexpr double end = 39.0;
  static constexpr double middle = 4.0;
  static constexpr double poly[] = {
      -1.8822551750393534e-9, -1.3870633436752771e-8, -7.7708524098686552e-9,
      1.1579545491817748e-7,  6.3099318920481246e-8,  -8.3554036007080808e-7,
      3.0082269716067098e-7,  5.7180194304286331e-6,  -1.1224436722701746e-5,
      -2.4403165369627111e-5, 1.5062210715057866e-4,  -1.9925552619520981e-4,
      -7.5777330913793326e-4, 5.0319697622847362e-3,  -1.6197734063710445e-2,
      3.7167515561483057e-2,  -6.6330365811154464e-2, 9.373283499687269e-2,
      -1.0103906603636772e-1, 6.8097054254734685e-2,  1.5379652102620995e-2,
      -1.3962111684056287e-1, 1.2329951186255525};
};

/// What standard normal numbers take, lane by lane as Math.
template <class L, class T>
struct Normal {
  using V = Vec<L, T>;
  using vec = typename V::type;
  using bits = typename V::bits;
  using N = NormalNumbers<T>;

  struct Parts {
    vec below, density;
  };
  /// P(X <= x) of a standard normal number and its density; the smaller tail is exact to the last
  /// bits where e^(-x^2 / 2) is. Source: Shepherd and Laframboise 1981, Chebyshev approximation of
  /// (1 + 2x) exp(x^2) erfc x; constants are ours.
  [[gnu::always_inline]] static Parts parts(vec x) {
    vec size = Math<L, T>::absolute(x);
    size = size > N::end ? V::splat(N::end) : size;
    const vec e = Math<L, T>::exp(size * size * T(-0.5));
    const vec z = size * T(0.70710678118654752440);
    const vec p = Math<L, T>::polynomial(N::poly, (z - N::middle) / (z + N::middle));
    const vec tail = e * T(0.5) * p / (z + z + T(1));
    return {x < T(0) ? tail : T(1) - tail, e * T(0.39894228040143267794)};
  }

  /// x P(X <= x); NaN at -infinity, as -infinity times 0.
  [[gnu::always_inline]] static vec gelu(vec x) { return x * parts(x).below; }
  [[gnu::always_inline]] static vec gelu_slope(vec x) {
    x = x > N::end ? V::splat(N::end) : x;
    x = x < -N::end ? V::splat(-N::end) : x;
    const Parts p = parts(x);
    return p.below + x * p.density;
  }

  struct Turn {
    vec cosine, sine;
  };
  /// Of the angle 2 pi `turns`, 0 <= turns < 1: the nearest quarter turn, exactly, and the series
  /// of Taylor behind it.
  [[gnu::always_inline]] static Turn turn(vec turns) {
    const vec shifted = turns * T(4) + ExpNumbers<T>::rounder,
              quarters = shifted - ExpNumbers<T>::rounder;
    const bits quarter = V::as_bits(shifted);
    const vec angle = (turns * T(4) - quarters) * T(1.57079632679489661923);
    const vec square = angle * angle;
    vec s{}, c{};
#pragma GCC unroll 16
    for (int k = 16; k >= 2; k -= 2) {  // Horner by the ratio of a term to the one before
      s = (s + T(1)) * (square * (T(-1) / static_cast<T>(k * (k + 1))));
      c = (c + T(1)) * (square * (T(-1) / static_cast<T>(k * (k - 1))));
    }
    s = s * angle + angle;
    c = c + T(1);
    const bits odd = (quarter & 1) != 0;
    const bits sign = V::as_bits(V::splat(T(-0.0)));
    const vec cosine = odd ? s : c, sine = odd ? c : s;
    const bits turned = ((quarter + 1) & 2) != 0, lower = (quarter & 2) != 0;
    return {V::from_bits(V::as_bits(cosine) ^ (turned & sign)),
            V::from_bits(V::as_bits(sine) ^ (lower & sign))};
  }
};

}  // namespace maskgrad::kernels::simd
