#include <maskgrad/layers/reshaping/reshape.hpp>

#include <fmt/format.h>

#include <algorithm>

#include <maskgrad/autograd/ops/shape/reshape.hpp>

namespace maskgrad {

Reshape::Reshape(ReshapeOptions options) : info(kind, options.name), options_(std::move(options)) {
  const auto& sizes = options_.target_shape;
  const auto open = std::count(sizes.begin(), sizes.end(), -1);
  const bool fit = std::all_of(sizes.begin(), sizes.end(), [](auto size) { return size >= -1; });
  if (fit && open <= 1 && sizes.size() < Shape::max_rank) return;
  fail<OptionError>(kind,
                    "the option .target_shape is [{}]; expected at most {} sizes of 0 or more, -1 "
                    "once for what is left",
                    fmt::join(sizes, ", "), Shape::max_rank - 1);
}

Shape Reshape::target(const Tensor& x) const {
  Shape shape = Shape{x.shape()[0]} + Shape(std::span(options_.target_shape));
  const Shape sample = x.shape().sub(1, x.rank());
  if (sample.has_any()) return shape;
  std::int64_t known = 1;
  for (int i = 1; i < shape.rank(); ++i) known *= shape[i] == any ? 1 : shape[i];
  for (int i = 1; i < shape.rank() && known > 0; ++i) {
    if (shape[i] == any && sample.count() % known == 0) shape[i] = sample.count() / known;
  }
  return shape;
}

TimeContract Reshape::time_now() const {
  const auto& sizes = options_.target_shape;
  if (!sizes.empty() && sizes[0] == -1) return time;
  return TimeContract::whole("it makes a set number of steps", ".target_shape = {-1, ...}");
}

Tensor Reshape::forward(const Tensor& x) const {
  if (x.rank() == 0) fail<ShapeError>(kind, "input is {}; expected [batch, ...]", x.describe());
  const Shape shape = target(x);
  const auto refuse = [&]() {
    detail::refuse_mask("a mask", fmt::format("{} would merge or tear mask axes", shape),
                        contract.ways_out, {x});
  };
  if (x.is_meta() && x.has_mask() && x.mask().rank() == 1) {
    // A mask over samples stays, whatever the free sizes behind it will be.
    const Tensor y = reshape(rows::make_meta(x.shape(), x.dtype()), shape);
    return rows::make_meta(y.shape(), y.dtype(), x.mask());
  }
  Tensor y;
  try {
    y = reshape(x, shape);
  } catch (const MaskError&) {
    refuse();
  }
  // Without data, a free number of steps could also be merged with the batch; here it never is.
  const bool free_steps = x.has_mask() && x.mask().shape().sub(1, x.mask().rank()).has_any();
  if (free_steps && y.mask().rank() == 1) refuse();
  return y;
}

}  // namespace maskgrad
