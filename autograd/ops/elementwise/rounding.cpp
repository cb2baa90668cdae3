#include <cmath>

#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/elementwise/unary.hpp>

namespace maskgrad {

Tensor floor(const Tensor& x) {
  return unary("floor", x, unary_op::steps([](auto v) { return std::floor(v); }));
}
Tensor ceil(const Tensor& x) {
  return unary("ceil", x, unary_op::steps([](auto v) { return std::ceil(v); }));
}
Tensor round(const Tensor& x) {
  return unary("round", x, unary_op::steps([](auto v) { return std::nearbyint(v); }));
}
Tensor trunc(const Tensor& x) {
  return unary("trunc", x, unary_op::steps([](auto v) { return std::trunc(v); }));
}

}  // namespace maskgrad
