#include <maskgrad/autograd/ops/loss/row_loss.hpp>

namespace maskgrad {

bool row_loss::fit(const Tensor& t, const Tensor& p) {
  if (t.is_meta() || p.is_meta() || t.dtype() != p.dtype() || t.shape() != p.shape()) return false;
  if (t.rank() < 1 || t.shape().back() == 0 || t.has_mask() != p.has_mask()) return false;
  return !t.has_mask() || (t.mask().rank() < t.rank() && t.mask() == p.mask());
}

}  // namespace maskgrad
