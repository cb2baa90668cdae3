#pragma once

#include <doctest/doctest.h>

#include <vector>

#include <maskgrad/autograd/extend.hpp>

namespace maskgrad::tests {

using Values = std::vector<double>;
using Bits = std::vector<bool>;

inline constexpr double none = -9;  // shown where a mask is false

/// 0, 1, 2, ... in the shape.
inline Tensor counted(const Shape& shape) {
  Values values;
  for (std::int64_t i = 0; i < shape.count(); ++i) values.push_back(static_cast<double>(i));
  return tensor(values, shape);
}

/// [2, 3], holes: the second step of the first sequence, the first of the second.
inline Mask holes() {
  return Mask::keep({{true, false, true}, {false, true, true}});
}

/// x under a mask over all of its axes, true everywhere.
inline Tensor fully_masked(const Tensor& x) {
  const Bits all(static_cast<std::size_t>(x.shape().count()), true);
  return x.with_mask(Mask::keep(all, x.shape()));
}

inline void check(const Tensor& y, const Shape& shape, const Values& values) {
  CHECK(y.shape() == shape);
  CHECK(y.to_vector<double>(none) == values);
}

/// Gradient of x for the sum of y * weights, weights 1, 2, ... over the stored values.
inline Values pulled(const Tensor& x, const Tensor& y) {
  const Tensor weights = rows::make(y.shape(), y.dtype(), y.mask());
  double next = 1;
  for (auto& v : rows::of_mutable<double>(weights)) v = next++;
  const Tensor root = y;
  tape::backward({&root, 1}, {&weights, 1}, {.retain = true});
  const auto g = x.grad().to_vector<double>(0);
  x.clear_grad();
  return g;
}

}  // namespace maskgrad::tests
