#include <cmath>

#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/elementwise/unary.hpp>

namespace maskgrad {

Tensor sin(const Tensor& x) {
  return unary("sin", x,
               unary_op::of_input([](auto v) { return std::sin(v); },
                                  [](auto v) {
                                    using std::cos;
                                    return cos(v);
                                  }));
}

Tensor cos(const Tensor& x) {
  return unary("cos", x,
               unary_op::of_input([](auto v) { return std::cos(v); },
                                  [](auto v) {
                                    using std::sin;
                                    return -sin(v);
                                  }));
}

Tensor tan(const Tensor& x) {
  return unary(
      "tan", x,
      unary_op::of_result([](auto v) { return std::tan(v); }, [](auto y) { return 1 + y * y; }));
}

Tensor asin(const Tensor& x) {
  return unary("asin", x,
               unary_op::of_input([](auto v) { return std::asin(v); },
                                  [](auto v) {
                                    using std::sqrt;
                                    return 1 / sqrt(1 - v * v);
                                  }));
}

Tensor acos(const Tensor& x) {
  return unary("acos", x,
               unary_op::of_input([](auto v) { return std::acos(v); },
                                  [](auto v) {
                                    using std::sqrt;
                                    return -1 / sqrt(1 - v * v);
                                  }));
}

Tensor atan(const Tensor& x) {
  return unary("atan", x,
               unary_op::of_input([](auto v) { return std::atan(v); },
                                  [](auto v) { return 1 / (1 + v * v); }));
}

Tensor sinh(const Tensor& x) {
  return unary("sinh", x,
               unary_op::of_input([](auto v) { return std::sinh(v); },
                                  [](auto v) {
                                    using std::cosh;
                                    return cosh(v);
                                  }));
}

Tensor cosh(const Tensor& x) {
  return unary("cosh", x,
               unary_op::of_input([](auto v) { return std::cosh(v); },
                                  [](auto v) {
                                    using std::sinh;
                                    return sinh(v);
                                  }));
}

Tensor asinh(const Tensor& x) {
  return unary("asinh", x,
               unary_op::of_input([](auto v) { return std::asinh(v); },
                                  [](auto v) {
                                    using std::sqrt;
                                    return 1 / sqrt(v * v + 1);
                                  }));
}

Tensor acosh(const Tensor& x) {
  return unary("acosh", x,
               unary_op::of_input([](auto v) { return std::acosh(v); },
                                  [](auto v) {
                                    using std::sqrt;
                                    return 1 / sqrt(v * v - 1);
                                  }));
}

Tensor atanh(const Tensor& x) {
  return unary("atanh", x,
               unary_op::of_input([](auto v) { return std::atanh(v); },
                                  [](auto v) { return 1 / (1 - v * v); }));
}

}  // namespace maskgrad
