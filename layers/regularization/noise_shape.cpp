#include <maskgrad/layers/regularization/noise_shape.hpp>

#include <fmt/format.h>

#include <maskgrad/layers/layer/layer.hpp>

namespace maskgrad::detail {

bool shares_steps(const NoiseShape& noise_shape, const Tensor& x) {
  if (!noise_shape) return false;
  bool fit = static_cast<int>(noise_shape->size()) == x.rank();
  for (int axis = 0; fit && axis < x.rank(); ++axis) {
    const auto size = (*noise_shape)[static_cast<std::size_t>(axis)];
    fit = fits(x.shape()[axis], size) || (size == 1 && axis == 1);
  }
  if (!fit) {
    fail<OptionError>(detail::layer_title(),
                      "the option .noise_shape is [{}] for {}; expected -1 or the size for each "
                      "axis, or 1 for axis 1, that of the steps",
                      fmt::join(*noise_shape, ", "), x.describe());
  }
  return x.rank() > 2 && (*noise_shape)[1] == 1;
}

}  // namespace maskgrad::detail
