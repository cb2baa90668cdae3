#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <maskgrad/autograd/ops/elementwise/cast.hpp>

namespace maskgrad::tests {

// What tests of NaN and infinities are written with.

inline constexpr double nan = std::numeric_limits<double>::quiet_NaN();
inline constexpr double infinity = std::numeric_limits<double>::infinity();

using Values = std::vector<double>;

inline Values values(const Tensor& x) {
  return cast(x.value(), DType::f64).to_vector<double>();
}
inline bool finite(const Tensor& x) {
  const Values all = values(x);
  return std::all_of(all.begin(), all.end(), [](double v) { return std::isfinite(v); });
}

}  // namespace maskgrad::tests
