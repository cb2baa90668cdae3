#include <maskgrad/layers/normalization/unit_normalization.hpp>

#include <maskgrad/autograd/ops/normalization/normalize.hpp>

namespace maskgrad {

Tensor UnitNormalization::forward(const Tensor& x) const {
  check::feature_axis(x, options_.axis);
  return unit_normalize(x, 1e-12);
}

}  // namespace maskgrad
