#include <maskgrad/autograd/ops/shape/steps.hpp>

#include <algorithm>

#include <maskgrad/autograd/ops/shape/rearrange.hpp>

namespace maskgrad {

Tensor steps_as_samples(const Tensor& x) {
  constexpr std::string_view op = "steps_as_samples";
  if (x.rank() < 2) {
    fail<ShapeError>(op, "got {}; expected [batch, time, ...]", x.describe());
  }
  const Shape lead = x.shape().sub(0, 2);
  const Shape samples{lead.has_any() ? any : lead.count()};
  const Shape shape = samples + x.shape().sub(2, x.rank());
  if (!x.has_mask()) return rearrange::regroup(op, x, shape, Mask());
  const Mask steps = rearrange::extended(x, x.shape(), std::max(2, rows::mask_rank(x)));
  return rearrange::regroup(op, x, shape,
                            masks::reshape(steps, samples + steps.shape().sub(2, steps.rank())));
}

Tensor samples_as_steps(const Tensor& y, const Tensor& samples, const Tensor& x) {
  constexpr std::string_view op = "samples_as_steps";
  if (y.rank() < 1 || !fits(y.shape()[0], samples.shape()[0])) {
    fail<ShapeError>(op, "{} was made of {}; expected one result for each of the {} samples",
                     y.describe(), samples.describe(), samples.shape()[0]);
  }
  const Shape lead = x.shape().sub(0, 2);
  const Shape shape = lead + y.shape().sub(1, y.rank());
  if (y.has_mask() && samples.has_mask() && y.mask().same(samples.mask())) {
    return rearrange::regroup(op, y, shape, x.mask());
  }
  if (!y.has_mask()) return rearrange::regroup(op, y, shape, Mask());
  const Mask own = rearrange::extended(y, y.shape(), std::max(1, rows::mask_rank(y)));
  return rearrange::regroup(op, y, shape,
                            masks::reshape(own, lead + own.shape().sub(1, own.rank())));
}

}  // namespace maskgrad
