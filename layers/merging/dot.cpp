#include <maskgrad/layers/merging/dot.hpp>

#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/linear/einsum.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>
#include <maskgrad/layers/layer/check.hpp>

namespace maskgrad {
namespace {

int mask_rank(const Tensor& x) {
  return x.has_mask() ? x.mask().rank() : 0;
}

/// MaskError unless the mask axes that are left stand first in the result.
void check_masks(const Tensors& inputs, const std::array<int, 2>& axes) {
  const auto refuse = [&](std::string_view why) {
    detail::refuse_mask("a mask", why, Dot::contract.ways_out, inputs);
  };
  for (std::size_t i = 0; i < 2; ++i) {
    if (axes[i] < mask_rank(inputs[i])) refuse("it would sum over masked steps");
  }
  if (mask_rank(inputs[1]) > 1 && inputs[0].rank() > 2) {
    refuse(mask_rank(inputs[0]) > 1 ? "it would pair the masked steps of two inputs"
                                    : "the masked steps of the second input would stand behind the "
                                      "axes of the first");
  }
}

/// Each vector along an axis by its length.
Tensor normalized(const Tensor& x, int axis) {
  constexpr double least = 1e-14;  // under the root, so that a gradient at 0 is finite
  return x * rsqrt(maximum(sum(square(x), axis, true), least));
}

/// A letter for each axis: the batch is 'a' in both, the axis summed over 'b'.
std::string letters(const Tensor& x, int axis, char next) {
  std::string all;
  for (int i = 0; i < x.rank(); ++i) all += i == 0 ? 'a' : i == axis ? 'b' : next++;
  return all;
}

}  // namespace

Dot::Dot(DotOptions options) : info(kind, options.name), options_(std::move(options)) {
  const auto count = options_.axes.values.size();
  if (count != 1 && count != 2) {
    fail<OptionError>(kind, "the option .axes has {} axes; expected one for each of two inputs",
                      count);
  }
  for (auto axis : options_.axes.values) {
    check::axis(kind, "axes", axis);
    if (axis == 0) fail<OptionError>(kind, "the option .axes has 0, the batch; expected others");
  }
}

std::array<int, 2> Dot::axes(const Tensors& inputs) const {
  const auto& given = options_.axes.values;
  const std::array axes{
      extend::normal_axis(kind, static_cast<int>(given.front()), inputs[0].shape()),
      extend::normal_axis(kind, static_cast<int>(given.back()), inputs[1].shape())};
  const auto size = [&](std::size_t i) { return inputs[i].shape()[axes[i]]; };
  if (axes[0] == 0 || axes[1] == 0 || !fits(size(0), size(1))) {
    fail<ShapeError>(kind,
                     "inputs are {} and {}, summed over axes {} and {}; expected axes of the same "
                     "size behind the batch",
                     inputs[0].describe(), inputs[1].describe(), axes[0], axes[1]);
  }
  return axes;
}

Tensor Dot::forward(const Tensors& inputs) const {
  if (inputs.size() != 2) detail::refuse_inputs(inputs.size(), "two");
  check::one_batch(inputs);
  const auto over = axes(inputs);
  check_masks(inputs, over);
  const bool normalize = options_.normalize;
  const Tensor a = normalize ? normalized(inputs[0], over[0]) : inputs[0];
  const Tensor b = normalize ? normalized(inputs[1], over[1]) : inputs[1];
  const auto la = letters(a, over[0], 'c'), lb = letters(b, over[1], 'm');
  std::string left;
  for (char c : la + lb.substr(1)) {
    if (c != 'b') left += c;
  }
  const Tensor y = einsum(la + "," + lb + "->" + left, {a, b});
  return y.rank() == 1 ? expand_dims(y, 1) : y;
}

}  // namespace maskgrad
