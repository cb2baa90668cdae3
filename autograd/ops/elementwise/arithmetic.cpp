#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>

#include <cmath>

#include <maskgrad/autograd/ops/elementwise/binary.hpp>

namespace maskgrad {

using binary_op::number;

Tensor add(const Tensor& a, const Tensor& b) {
  return binary_of_numbers("add", a, b,
                           binary_op::unread<true, true>([](auto x, auto z) { return x + z; },
                                                         [](auto dy, auto, auto) { return dy; },
                                                         [](auto dy, auto, auto) { return dy; }));
}

Tensor subtract(const Tensor& a, const Tensor& b) {
  return binary_of_numbers("subtract", a, b,
                           binary_op::unread<true, false>([](auto x, auto z) { return x - z; },
                                                          [](auto dy, auto, auto) { return dy; },
                                                          [](auto dy, auto, auto) { return -dy; }));
}

Tensor multiply(const Tensor& a, const Tensor& b) {
  using binary_op::selected;
  return binary_of_numbers(
      "multiply", a, b,
      binary_op::function([](auto x, auto z) { return x * z; },
                          [](auto dy, auto, auto z) { return selected(dy, z); },
                          [](auto dy, auto x, auto) { return selected(dy, x); }));
}

Tensor divide(const Tensor& a, const Tensor& b) {
  return binary("divide", a, b,
                binary_op::function([](auto x, auto z) { return x / z; },
                                    [](auto dy, auto, auto z) { return dy / z; },
                                    [](auto dy, auto x, auto z) { return -dy * x / (z * z); }));
}

namespace {

/// What of dy goes to x where the greater of x and z is taken; a tie gives each a half. Written so
/// that nothing branches, for which loops become vectors.
constexpr auto to_greater = [](auto dy, auto x, auto z) {
  using namespace binary_op;
  const auto own = choose(above(x, z), dy, nothing(dy)), half = dy / 2;
  return choose(same(x, z), half, own);
};

}  // namespace

Tensor maximum(const Tensor& a, const Tensor& b) {
  return binary_of_numbers(
      "maximum", a, b,
      binary_op::function([](auto x, auto z) { return ((x > z) | (x != x)) ? x : z; }, to_greater,
                          [](auto dy, auto x, auto z) { return to_greater(dy, z, x); }));
}

Tensor minimum(const Tensor& a, const Tensor& b) {
  return binary_of_numbers(
      "minimum", a, b,
      binary_op::function([](auto x, auto z) { return ((x < z) | (x != x)) ? x : z; },
                          [](auto dy, auto x, auto z) { return to_greater(dy, z, x); },
                          to_greater));
}

Tensor operator+(const Tensor& a, double b) {
  return add(a, number("add", b, a));
}
Tensor operator+(double a, const Tensor& b) {
  return add(number("add", a, b), b);
}
Tensor operator-(const Tensor& a, double b) {
  return subtract(a, number("subtract", b, a));
}
Tensor operator-(double a, const Tensor& b) {
  return subtract(number("subtract", a, b), b);
}
Tensor operator*(const Tensor& a, double b) {
  return multiply(a, number("multiply", b, a));
}
Tensor operator*(double a, const Tensor& b) {
  return multiply(number("multiply", a, b), b);
}
Tensor operator/(const Tensor& a, double b) {
  return divide(a, number("divide", b, a));
}
Tensor operator/(double a, const Tensor& b) {
  return divide(number("divide", a, b), b);
}
Tensor operator-(const Tensor& a) {
  return multiply(a, number("multiply", -1, a));
}
Tensor maximum(const Tensor& a, double b) {
  return maximum(a, number("maximum", b, a));
}
Tensor minimum(const Tensor& a, double b) {
  return minimum(a, number("minimum", b, a));
}

}  // namespace maskgrad
