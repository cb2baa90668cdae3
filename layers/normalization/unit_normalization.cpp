#include <maskgrad/layers/normalization/unit_normalization.hpp>

#include <maskgrad/autograd/ops/arithmetic.hpp>
#include <maskgrad/autograd/ops/reduce.hpp>
#include <maskgrad/autograd/ops/unary.hpp>

namespace maskgrad {

Tensor UnitNormalization::forward(const Tensor& x) const {
  check::feature_axis(info, kind, x, options_.axis);
  // Under the root, so that a row of zeros has a gradient that is finite.
  constexpr double least = 1e-24;
  const Tensor square_sum = sum(square(x), {-1}, true);
  return x * rsqrt(maximum(square_sum, scalar(least, x.dtype())));
}

}  // namespace maskgrad
