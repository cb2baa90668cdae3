#include <cmath>
#include <numbers>

#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/elementwise/unary.hpp>

// Exponential functions and logarithms beside exp and log.

namespace maskgrad {

using std::numbers::ln10;
using std::numbers::ln2;
using unary_op::as;

Tensor exp2(const Tensor& x) {
  return unary("exp2", x,
               unary_op::of_result([](auto v) { return std::exp2(v); },
                                   []<class T>(T y) { return y * as<T>(ln2); }));
}

Tensor log1p(const Tensor& x) {
  return unary(
      "log1p", x,
      unary_op::of_input([](auto v) { return std::log1p(v); }, [](auto v) { return 1 / (1 + v); }));
}

Tensor log2(const Tensor& x) {
  return unary("log2", x,
               unary_op::of_input([](auto v) { return std::log2(v); },
                                  []<class T>(T v) { return 1 / (v * as<T>(ln2)); }));
}

Tensor log10(const Tensor& x) {
  return unary("log10", x,
               unary_op::of_input([](auto v) { return std::log10(v); },
                                  []<class T>(T v) { return 1 / (v * as<T>(ln10)); }));
}

Tensor erf(const Tensor& x) {
  return unary("erf", x,
               unary_op::of_input([](auto v) { return std::erf(v); },
                                  []<class T>(T v) {
                                    using std::exp;
                                    return as<T>(2 * std::numbers::inv_sqrtpi) * exp(-v * v);
                                  }));
}

}  // namespace maskgrad
