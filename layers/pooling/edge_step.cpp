#include <maskgrad/layers/pooling/edge_step.hpp>

#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/autograd/ops/sequence/sequence.hpp>
#include <maskgrad/autograd/ops/shape/permute.hpp>
#include <maskgrad/layers/layer/check.hpp>
#include <maskgrad/layers/layer/so_far.hpp>

namespace maskgrad::detail {

Tensor edge_step(StepEdge edge, const Tensor& x) {
  check::has_steps(x);
  // Without steps none exists, as in a sequence without a valid one.
  const bool none = x.shape()[1] == 0 && !x.is_meta();
  const Tensor steps =
      none ? with_mask(x, masks::all(x.shape().sub(0, 2), masks::origin_here("steps"))) : x;
  const int last = check::last_mask_axis(steps);
  const Tensor y = take_step(moveaxis(steps, 1, last), edge == StepEdge::first ? 0 : -1, last);
  return so_far(x, y, [edge](const Tensor& now, const Tensor& before) {
    return edge == StepEdge::first ? newest(before, now) : newest(now, before);
  });
}

}  // namespace maskgrad::detail
