#pragma once

#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

/// Elementwise arithmetic on two tensors of one element type.
/// Shapes:   broadcast as NumPy does, aligned at the last axis.
/// Mask:     each mask is broadcast to the result; the result is valid where all are.
/// Gradient: summed over the axes that were broadcast; zero where the result is not valid.
/// Throws:   ShapeError, TypeError.
/// Example:  (x + y) / mg::tensor({1.0f, 2.0f, 4.0f}, {3});  // valid where x and y are
Tensor add(const Tensor& a, const Tensor& b);
Tensor subtract(const Tensor& a, const Tensor& b);
Tensor multiply(const Tensor& a, const Tensor& b);
Tensor divide(const Tensor& a, const Tensor& b);
/// a to the power b; the gradient of b is that of a > 0, and 0 for a = 0.
/// Example:  mg::power(mg::abs(x), 0.5);
Tensor power(const Tensor& a, const Tensor& b);
/// The greater value; a tie sends half of the gradient to each, as PyTorch does.
/// Example:  mg::maximum(mg::minimum(x, y), 0);
Tensor maximum(const Tensor& a, const Tensor& b);
Tensor minimum(const Tensor& a, const Tensor& b);
/// a / b rounded down to a whole number, and what is left, which has the sign of b, as in Python;
/// of whole numbers and b = 0 both are 0. The gradient of floor_divide is 0.
/// Example:  mg::remainder(mg::arange(5), 3);  // 0 1 2 0 1
Tensor floor_divide(const Tensor& a, const Tensor& b);
Tensor remainder(const Tensor& a, const Tensor& b);
/// The angle of the point (b, a), from -pi to pi.
/// Example:  mg::atan2(x, y);
Tensor atan2(const Tensor& a, const Tensor& b);
/// log(exp(a) + exp(b)), without overflow; -infinity, of which no gradient reaches anything, where
/// both are.
/// Example:  mg::logaddexp(x, y);
Tensor logaddexp(const Tensor& a, const Tensor& b);

/// Truth values, element by element; masks as in arithmetic, no gradient.
/// Example:  mg::less_equal(x, y);  // bool [4, 5, 3], valid where both are
Tensor equal(const Tensor& a, const Tensor& b);
Tensor not_equal(const Tensor& a, const Tensor& b);
Tensor less(const Tensor& a, const Tensor& b);
Tensor less_equal(const Tensor& a, const Tensor& b);
Tensor greater(const Tensor& a, const Tensor& b);
Tensor greater_equal(const Tensor& a, const Tensor& b);

/// add, subtract, multiply and divide.
inline Tensor operator+(const Tensor& a, const Tensor& b) {
  return add(a, b);
}
inline Tensor operator-(const Tensor& a, const Tensor& b) {
  return subtract(a, b);
}
inline Tensor operator*(const Tensor& a, const Tensor& b) {
  return multiply(a, b);
}
inline Tensor operator/(const Tensor& a, const Tensor& b) {
  return divide(a, b);
}

/// With a number, which takes the tensor's type; TypeError for one that is not whole with i64.
/// Example:  mg::greater(1 - x * 2, 0);  // bool [4, 5, 3]
Tensor operator+(const Tensor& a, double b);
Tensor operator+(double a, const Tensor& b);
Tensor operator-(const Tensor& a, double b);
Tensor operator-(double a, const Tensor& b);
Tensor operator*(const Tensor& a, double b);
Tensor operator*(double a, const Tensor& b);
Tensor operator/(const Tensor& a, double b);
Tensor operator/(double a, const Tensor& b);
Tensor operator-(const Tensor& a);
Tensor power(const Tensor& a, double b);
Tensor maximum(const Tensor& a, double b);
Tensor minimum(const Tensor& a, double b);
Tensor floor_divide(const Tensor& a, double b);
Tensor remainder(const Tensor& a, double b);
Tensor equal(const Tensor& a, double b);
Tensor not_equal(const Tensor& a, double b);
Tensor less(const Tensor& a, double b);
Tensor less_equal(const Tensor& a, double b);
Tensor greater(const Tensor& a, double b);
Tensor greater_equal(const Tensor& a, double b);

}  // namespace maskgrad
