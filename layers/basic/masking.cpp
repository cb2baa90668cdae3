#include <maskgrad/layers/basic/masking.hpp>

#include <maskgrad/autograd/ops/mask_ops.hpp>
#include <maskgrad/layers/check.hpp>

namespace maskgrad {

Tensor Masking::forward(const Tensor& x) const {
  check::has_features(info, kind, x);
  const Tensor dense =
      drop_mask(x.value(), "steps that have a mask already are padding", options_.mask_value);
  return with_mask(x, Mask::where_any_differs(dense, options_.mask_value));
}

}  // namespace maskgrad
