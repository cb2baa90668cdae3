#pragma once

#include <cmath>

/// Sums that f64 cannot hold, though what a metric makes of them it can.
namespace maskgrad::metrics {

/// value * 2^exponent, where the exponent is 0 for all that f64 holds with its digits, else a step
/// up or down. A 0 has the exponent 0.
struct WideNumber {
  double value = 0, exponent = 0;

  static constexpr double step = 1200;
  /// Below this a sum of squares may have lost digits, or all of them.
  static constexpr double least = 0x1p-900;

  /// It in f64, over n.
  double over(double n) const { return std::ldexp(value / n, static_cast<int>(exponent)); }
  double sqrt_over(double n) const {
    return std::ldexp(std::sqrt(value / n), static_cast<int>(exponent / 2));
  }
};

/// x with another exponent: what does not fit is inf or 0.
inline double with_exponent(const WideNumber& x, double exponent) {
  return std::ldexp(x.value, static_cast<int>(x.exponent - exponent));
}

inline WideNumber operator+(const WideNumber& a, const WideNumber& b) {
  if (a.exponent == 0 && b.exponent == 0 && std::isfinite(a.value + b.value)) {
    return {a.value + b.value, 0};
  }
  if (a.value == 0) return b;
  if (b.value == 0) return a;
  double exponent = a.exponent;
  if (a.exponent != b.exponent) {
    const auto size = [](const WideNumber& x) { return std::logb(x.value) + x.exponent; };
    exponent = size(a) > size(b) ? a.exponent : b.exponent;
  }
  const double x = with_exponent(a, exponent), y = with_exponent(b, exponent);
  const WideNumber sum{x + y, exponent};
  if (!std::isfinite(x) || !std::isfinite(y)) return {sum.value, 0};
  if (exponent == 0 && std::isfinite(sum.value)) return sum;
  if (exponent == 0) {
    constexpr double up = WideNumber::step;
    return {with_exponent({x, 0}, up) + with_exponent({y, 0}, up), up};
  }
  const double plain = with_exponent(sum, 0);
  return std::isfinite(plain) && std::abs(plain) >= WideNumber::least ? WideNumber{plain, 0} : sum;
}

/// weight (a - b)^2.
inline WideNumber squared_difference(double a, double b, double weight) {
  const double d = a - b, plain = weight * d * d;
  if (d == 0 || weight == 0 || d != d) return {plain, 0};
  if (std::isfinite(plain) && plain >= WideNumber::least) return {plain, 0};
  constexpr double root = 0x1p600;
  if (std::abs(d) < 1) return {weight * (d * root) * (d * root), -WideNumber::step};
  const double scaled = a / root - b / root;
  if (!std::isfinite(scaled)) return {plain, 0};
  return {weight * scaled * scaled, WideNumber::step};
}

/// a / b, of numbers of 0 or more.
inline double quotient(const WideNumber& a, const WideNumber& b) {
  if (a.exponent == 0 && b.exponent == 0) return a.value / b.value;
  int of_a = 0, of_b = 0;
  const double x = std::frexp(a.value, &of_a), y = std::frexp(b.value, &of_b);
  return std::ldexp(x / y, of_a - of_b + static_cast<int>(a.exponent - b.exponent));
}

}  // namespace maskgrad::metrics
