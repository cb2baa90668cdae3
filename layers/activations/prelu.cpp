#include <maskgrad/layers/activations/prelu.hpp>

#include <algorithm>

#include <maskgrad/autograd/ops/elementwise/activations.hpp>
#include <maskgrad/layers/layer/check.hpp>

namespace maskgrad {
namespace {

/// The axes of the mask of `x` but features, which a mask over single values covers too.
int step_axes(const Tensor& x) {
  return std::min(rows::mask_rank(x), x.rank() - 1);
}

}  // namespace

void PReLU::build(const Tensor& x, Builder& builder) {
  check::has_features(x);
  Shape shape = x.shape().sub(1, x.rank());
  for (int axis = 1; axis < x.rank(); ++axis) {
    const bool features = axis == x.rank() - 1;
    if (axis < step_axes(x) || (shape[axis - 1] == any && !features)) shape[axis - 1] = 1;
  }
  for (const auto named : options_.shared_axes.value_or(std::vector<std::int64_t>{})) {
    const auto axis = named < 0 ? named + x.rank() : named;
    if (axis < 1 || axis >= x.rank()) {
      fail<OptionError>(kind, "the option .shared_axes holds {} for {}; expected axes from 1 to {}",
                        named, x.describe(), x.rank() - 1);
    }
    shape[static_cast<int>(axis) - 1] = 1;
  }
  alpha_ = builder.weight("alpha", shape, options_.alpha_initializer);
}

void PReLU::check_input(const Tensor& x) const {
  const Shape& alpha = alpha_.shape();
  bool fit = x.rank() == alpha.rank() + 1;
  for (int axis = 1; fit && axis < x.rank(); ++axis) {
    const auto slopes = alpha[axis - 1];
    fit = slopes == 1 || fits(x.shape()[axis], slopes);
    if (!fit || slopes == 1 || axis >= step_axes(x)) continue;
    fail<MaskError>(kind,
                    "input is {}, and axis {}, which the mask covers, has {} slopes; a step's "
                    "slope would depend on the padding before it. Build it with .shared_axes = "
                    "{{{{{}}}}}, or end the mask with x.drop_mask(\"why\")",
                    x.describe(), axis, slopes, axis);
  }
  if (fit) return;
  fail<ShapeError>(kind, "input is {}; expected one axis more than alpha {}, of the same sizes",
                   x.describe(), alpha);
}

Tensor PReLU::forward(const Tensor& x) const {
  check_input(x);
  return prelu(x, alpha_);
}

}  // namespace maskgrad
