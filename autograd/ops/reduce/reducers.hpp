#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace maskgrad::reducers {

// What kernels::fold does with the values that meet in one result: a state, how it starts, how it
// takes a value, and how it takes the state of later values.

/// Reals add up in f64: a long sum of f32 keeps all its digits.
template <class T>
struct Sum {
  using State = std::conditional_t<std::is_same_v<T, std::int64_t>, std::int64_t, double>;
  State start() const { return 0; }
  void add(State& s, const T* x, std::int64_t) const { s += *x; }
  void join(State& s, State later) const { s += later; }
};

/// The same, times a scale at which no sum of f64 overflows.
struct ScaledSum {
  static constexpr double scale = 0x1p-64;
  using State = double;
  State start() const { return 0; }
  void add(State& s, const double* x, std::int64_t) const { s += *x * scale; }
  void join(State& s, State later) const { s += later; }
};

template <class T>
struct Product {
  using State = std::conditional_t<std::is_same_v<T, std::int64_t>, std::int64_t, double>;
  State start() const { return 1; }
  void add(State& s, const T* x, std::int64_t) const { s *= *x; }
  void join(State& s, State later) const { s *= later; }
};

/// The product of what is not 0, and how many are.
struct NonZero {
  struct State {
    double product;
    std::int64_t zeros;
  };
  State start() const { return {1, 0}; }
  template <class T>
  void add(State& s, const T* x, std::int64_t) const {
    s.zeros += *x == 0;
    s.product *= *x == 0 ? 1 : static_cast<double>(*x);
  }
  void join(State& s, const State& later) const {
    s.zeros += later.zeros;
    s.product *= later.product;
  }
};

struct Any {
  using State = std::uint8_t;
  State start() const { return 0; }
  void add(State& s, const bool* x, std::int64_t) const { s |= *x; }
  void join(State& s, State later) const { s |= later; }
};
struct All {
  using State = std::uint8_t;
  State start() const { return 1; }
  void add(State& s, const bool* x, std::int64_t) const { s &= *x; }
  void join(State& s, State later) const { s &= later; }
};

/// The greatest value, the least for sign = -1; NaN where there is one.
template <class T, int sign>
struct Extreme {
  using State = T;
  using Limits = std::numeric_limits<T>;
  static constexpr T low = Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
  static constexpr T high = Limits::has_infinity ? Limits::infinity() : Limits::max();
  T start() const { return sign > 0 ? low : high; }
  void join(T& s, T v) const {
    const T before = s;
    const bool beyond = sign > 0 ? v > before : v < before;
    s = beyond || v != v ? v : before;
  }
  void add(T& s, const T* x, std::int64_t) const { join(s, *x); }
  /// Two passes, NaN apart, since each is a loop that the compiler makes vectors of.
  void add_many(T& s, const T* x, std::int64_t n) const {
    constexpr std::int64_t lanes = 16;
    T lane[lanes];
    std::fill_n(lane, lanes, start());
    std::int64_t i = 0;
    for (; i + lanes <= n; i += lanes) {
      for (std::int64_t k = 0; k < lanes; ++k) {
        lane[k] = (sign > 0 ? x[i + k] > lane[k] : x[i + k] < lane[k]) ? x[i + k] : lane[k];
      }
    }
    for (const T v : lane) join(s, v);
    for (; i < n; ++i) join(s, x[i]);
    int nan = 0;
    for (i = 0; i < n; ++i) nan |= x[i] != x[i];
    if (nan) join(s, *std::find_if(x, x + n, [](T v) { return v != v; }));
  }
};

/// Where the first extreme value stands; a NaN is beyond all. Null before the first value.
template <class T, int sign>
struct ArgExtreme {
  using State = const T*;
  State start() const { return nullptr; }
  void join(State& s, State v) const {
    if (!s || !v) {
      s = s ? s : v;
      return;
    }
    const bool s_nan = *s != *s, v_nan = *v != *v;
    const bool beyond = s_nan || v_nan ? v_nan && !s_nan : (sign > 0 ? *v > *s : *v < *s);
    const bool equal = s_nan || v_nan ? v_nan && s_nan : *v == *s;
    if (beyond || (equal && v < s)) s = v;
  }
  void add(State& s, const T* x, std::int64_t) const { join(s, x); }
  void add_many(State& s, const T* x, std::int64_t n) const {
    const Extreme<T, sign> fold;
    T best = fold.start();
    fold.add_many(best, x, n);
    const auto at = std::find_if(x, x + n, [=](T v) { return best != best ? v != v : v == best; });
    if (at != x + n) join(s, at);
  }
};

/// How many values equal the result.
template <class T>
struct Ties {
  // As wide as the values, so that as many fit into a vector; of f32 four billion may tie.
  using State = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::int64_t>;
  const T* result;
  State start() const { return 0; }
  void add(State& s, const T* x, std::int64_t to) const { s += *x == result[to]; }
  void join(State& s, State later) const { s += later; }
};

/// The sum of squares about a mean.
template <class T>
struct Squares {
  using State = double;
  const double* mean;
  State start() const { return 0; }
  void add(State& s, const T* x, std::int64_t to) const {
    const double d = *x - mean[to];
    s += d * d;
  }
  void join(State& s, State later) const { s += later; }
};

/// The same, of differences that are multiplied before by their result's scale, a power of 2.
struct FarSquares {
  using State = double;
  const double *mean, *scale;
  State start() const { return 0; }
  void add(State& s, const double* x, std::int64_t to) const {
    const double by = scale[to], m = mean[to];
    const double d = by < 1 ? *x * by - m * by : (*x - m) * by;
    s += d * d;
  }
  void join(State& s, State later) const { s += later; }
};

/// The greatest absolute value.
template <class T>
struct Greatest {
  using State = double;
  State start() const { return 0; }
  void add(State& s, const T* x, std::int64_t) const { join(s, std::abs(static_cast<double>(*x))); }
  void join(State& s, State later) const { s = later > s ? later : s; }
};

/// The sum of squares, of values that are multiplied before by their result's scale.
template <class T>
struct ScaledSquares {
  using State = double;
  const double* scale;
  State start() const { return 0; }
  void add(State& s, const T* x, std::int64_t to) const {
    const double v = static_cast<double>(*x) * scale[to];
    s += v * v;
  }
  void join(State& s, State later) const { s += later; }
};

}  // namespace maskgrad::reducers
