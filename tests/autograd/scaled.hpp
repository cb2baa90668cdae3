#pragma once

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/core/random.hpp>

/// What the tests of the checks check.
namespace maskgrad::tests {

using Inputs = std::vector<Tensor>;

inline Tensor sample(const Shape& shape) {
  return random_normal(shape, {42}, DType::f64);
}

/// y = factor x, whose backward gives dy times `slope`.
inline Tensor scaled(const Tensor& x, double factor, double slope) {
  if (x.is_meta()) return x;
  const Tensor y = (x.value() * factor).value();
  return record("scaled", y, {x}, [slope](const Tensor& dy, Grads& g) { g.add(0, dy * slope); });
}

}  // namespace maskgrad::tests
