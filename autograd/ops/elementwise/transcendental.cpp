#include <cmath>
#include <limits>

#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/binary.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>

// Functions of two values that are more than arithmetic.

namespace maskgrad {

using namespace binary_op;

Tensor power(const Tensor& a, const Tensor& b) {
  return binary("power", a, b,
                function([]<class T>(T x, T z) { return static_cast<T>(std::pow(x, z)); },
                         []<class T>(T dy, T x, T z) {
                           if constexpr (Real<T>) {
                             return z == 0 ? T(0) : static_cast<T>(dy * z * std::pow(x, z - 1));
                           } else {
                             return where(equal(z, 0), nothing(dy), dy * z * power(x, z - 1));
                           }
                         },
                         []<class T>(T dy, T x, T z) {
                           if constexpr (Real<T>) {
                             return x == 0 && z >= 0
                                        ? T(0)
                                        : static_cast<T>(dy * std::pow(x, z) * std::log(x));
                           } else {
                             const Tensor none = logical_and(equal(x, 0), greater_equal(z, 0));
                             return where(none, nothing(dy), dy * power(x, z) * log(x));
                           }
                         }));
}

Tensor power(const Tensor& a, double b) {
  // The most usual power, many times faster so, and the same to the last bit.
  if (b == 2 && is_real(a.dtype())) return square(a);
  return power(a, number("power", b, a));
}

Tensor atan2(const Tensor& a, const Tensor& b) {
  return binary("atan2", a, b,
                function([]<class T>(T y, T x) { return static_cast<T>(std::atan2(y, x)); },
                         [](auto dy, auto y, auto x) { return dy * x / (y * y + x * x); },
                         [](auto dy, auto y, auto x) { return -dy * y / (y * y + x * x); }));
}

namespace {

/// What of dy goes to the first; of nothing at all, nothing is the greater part.
constexpr auto to_first = []<class T>(T dy, T x, T z) {
  if constexpr (Real<T>) {
    if (x == -std::numeric_limits<T>::infinity()) return T(0);
    if (x == z) return dy / 2;
    return static_cast<T>(dy / (1 + std::exp(z - x)));
  } else {
    const Tensor there = greater(x, -std::numeric_limits<double>::infinity());
    return where(there, dy / (1 + exp(z - x)), nothing(dy));
  }
};

}  // namespace

Tensor logaddexp(const Tensor& a, const Tensor& b) {
  return binary(
      "logaddexp", a, b,
      function(
          []<class T>(T x, T z) {
            if (x == z) return static_cast<T>(x + std::log(2.0));  // infinities too
            return static_cast<T>((x > z ? x : z) + std::log1p(std::exp(-std::abs(x - z))));
          },
          to_first, [](auto dy, auto x, auto z) { return to_first(dy, z, x); }));
}

}  // namespace maskgrad
