#include <maskgrad/layers/basic/masking.hpp>

#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/layers/layer/check.hpp>

namespace maskgrad {

Tensor Masking::forward(const Tensor& x) const {
  check::has_features(x);
  // A masked step is padding already; a masked feature counts as one that has the value.
  const bool features_masked = rows::mask_rank(x) == x.rank();
  const Tensor seen =
      features_masked ? drop_mask(x.value(), "is padding", options_.mask_value) : x.value();
  return with_mask(x, Mask::where_any_differs(seen, options_.mask_value));
}

}  // namespace maskgrad
