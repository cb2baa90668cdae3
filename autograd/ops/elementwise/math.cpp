#include <maskgrad/autograd/ops/elementwise/math.hpp>

#include <cmath>
#include <limits>

#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/unary.hpp>
#include <maskgrad/core/kernels/simd/arrays.hpp>

namespace maskgrad {

using unary_op::as;

Tensor abs(const Tensor& x) {
  return unary_of_numbers("abs", x,
                          unary_op::bent([](auto v) { return std::abs(v); },
                                         []<class T>(T v) { return T((v > 0) - (v < 0)); }));
}

Tensor sign(const Tensor& x) {
  return unary_of_numbers("sign", x, unary_op::steps([]<class T>(T v) {
                            return v != v ? v : static_cast<T>((v > 0) - (v < 0));
                          }));
}

Tensor square(const Tensor& x) {
  return unary_of_numbers(
      "square", x, unary_op::of_input([](auto v) { return v * v; }, [](auto v) { return 2 * v; }));
}

Tensor sqrt(const Tensor& x) {
  return unary("sqrt", x,
               unary_op::of_result([](auto v) { return std::sqrt(v); },
                                   []<class T>(T y) { return as<T>(0.5) / y; }));
}

Tensor rsqrt(const Tensor& x) {
  return unary("rsqrt", x,
               unary_op::of_result([](auto v) { return 1 / std::sqrt(v); },
                                   []<class T>(T y) { return as<T>(-0.5) * y * y * y; }));
}

Tensor reciprocal(const Tensor& x) {
  return unary("reciprocal", x,
               unary_op::of_result([](auto v) { return 1 / v; }, [](auto y) { return -y * y; }));
}

Tensor exp(const Tensor& x) {
  return unary("exp", x,
               unary_op::of_result([](auto* v, auto* y, auto n) { kernels::simd::exp(v, y, n); },
                                   [](auto y) { return y; }));
}

Tensor expm1(const Tensor& x) {
  return unary("expm1", x,
               unary_op::of_result([](auto* v, auto* y, auto n) { kernels::simd::expm1(v, y, n); },
                                   [](auto y) { return y + 1; }));
}

Tensor log(const Tensor& x) {
  return unary("log", x,
               unary_op::of_input([](auto* v, auto* y, auto n) { kernels::simd::log(v, y, n); },
                                  [](auto v) { return 1 / v; }));
}

Tensor tanh(const Tensor& x) {
  return unary("tanh", x,
               unary_op::of_result([](auto* v, auto* y, auto n) { kernels::simd::tanh(v, y, n); },
                                   [](auto y) { return 1 - y * y; }));
}

namespace {

/// Integers have whole bounds; an infinite one bounds nothing on its side.
void check_whole(const Tensor& x, double low, double high) {
  constexpr double end = 0x1p63;
  const auto fits = [](double bound, double open) {
    return bound == open || (bound == std::floor(bound) && bound >= -end && bound < end);
  };
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (fits(low, -infinity) && fits(high, infinity)) return;
  fail<TypeError>("clip",
                  "low is {} and high is {} for {}; expected whole numbers that i64 holds (or -inf "
                  "and inf for no bound). Use cast(x, DType::f32) for others",
                  low, high, x.describe());
}

}  // namespace

Tensor clip(const Tensor& x, double low, double high) {
  if (!(low <= high)) {
    fail<OptionError>("clip", "low is {} and high is {}; expected low <= high", low, high);
  }
  if (x.dtype() == DType::i64) check_whole(x, low, high);
  return unary_of_numbers(
      "clip", x,
      unary_op::bent(
          [=]<class T>(T v) {
            return v < low ? static_cast<T>(low) : (v > high ? static_cast<T>(high) : v);
          },
          [=]<class T>(T v) { return v >= T(low) && v <= T(high) ? T(1) : T(0); }));
}

}  // namespace maskgrad
