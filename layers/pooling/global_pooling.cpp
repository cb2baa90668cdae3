#include <maskgrad/layers/pooling/global_pooling.hpp>

#include <maskgrad/autograd/ops/reduce.hpp>
#include <maskgrad/layers/check.hpp>

namespace maskgrad {

Tensor GlobalAveragePooling1D::forward(const Tensor& x) const {
  check::layer_rank(info, kind, x, 3, "[batch, time, features]");
  return mean(x, {1}, options_.keepdims);
}

}  // namespace maskgrad
