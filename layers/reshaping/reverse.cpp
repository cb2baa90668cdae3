#include <maskgrad/layers/reshaping/reverse.hpp>

#include <maskgrad/autograd/ops/sequence/sequence.hpp>
#include <maskgrad/autograd/ops/shape/permute.hpp>
#include <maskgrad/layers/layer/check.hpp>

namespace maskgrad {

Tensor Reverse::forward(const Tensor& x) const {
  check::has_steps(x);
  const int last = check::last_mask_axis(x);
  return moveaxis(reverse(moveaxis(x, 1, last), last), last, 1);
}

}  // namespace maskgrad
