#include <maskgrad/autograd/ops/shape/slice.hpp>

#include <algorithm>

#include <maskgrad/autograd/ops/shape/rearrange.hpp>

namespace maskgrad {
namespace {

/// Steps start, start + step, ...: `size` of them.
struct Range {
  std::int64_t start = 0, size = 0, step = 1;
};

std::int64_t steps_in(std::int64_t span, std::int64_t step) {
  return span / step + (span % step != 0 ? 1 : 0);
}

/// On an axis of a size that is not known; what cannot be told stays `any`.
Range free_range(std::int64_t start, std::int64_t stop, std::int64_t step) {
  std::int64_t span = any;
  if (stop == to_end && start < 0 && start >= -to_end) span = -start;
  if (stop != to_end && (start < 0) == (stop < 0)) span = stop - start;
  return {start, span == any ? any : steps_in(span, step), step};
}

Range range(const Tensor& x, int axis, std::int64_t start, std::int64_t stop, std::int64_t step) {
  const auto size = x.shape()[axis];
  if (step < 1) {
    fail<IndexError>("slice", "step {} on axis {} of {}; expected 1 or more", step, axis,
                     x.describe());
  }
  const bool ordered = stop == to_end || (start < 0) != (stop < 0) || start <= stop;
  if (size == any && ordered) return free_range(start, stop, step);
  const auto from = start < 0 ? start + size : start;
  const auto to = stop == to_end ? size : (stop < 0 ? stop + size : stop);
  if (size == any || from < 0 || from > to || to > size) {
    fail<IndexError>("slice",
                     "steps {} to {} on axis {} of {}; expected 0 <= start <= stop <= {} "
                     "(negative ones count from the back). Leave stop out to go to the end",
                     start, stop == to_end ? "the end" : std::to_string(stop), axis, x.describe(),
                     size == any ? "its size" : std::to_string(size));
  }
  return {from, steps_in(to - from, step), std::min(step, std::max<std::int64_t>(size, 1))};
}

/// Rows of x under the mask's positions r.start, r.start + r.step, ... of `axis`.
Index sliced_rows(const Tensor& x, const Mask& to, int axis, const Range& r) {
  auto strides = strides_of(x.mask().shape());
  auto& own = strides[static_cast<std::size_t>(axis)];
  const auto offset = r.start * own;
  own *= r.step;
  return rearrange::row_map(x.mask(), to, strides, offset);
}

Tensor strided(const Tensor& x, int axis, const Range& r) {
  auto view = rearrange::inner_view(x);
  const int at = axis - rows::mask_rank(x);
  auto& stride = view.strides[static_cast<std::size_t>(at)];
  view.offset = r.start * stride;
  stride *= r.step;
  view.shape[at] = r.size;
  return rearrange::take_inner("slice", x, view, view.shape);
}

}  // namespace

Tensor slice(const Tensor& x, int axis, std::int64_t start, std::int64_t stop, std::int64_t step) {
  axis = normal_axis("slice", axis, x.shape());
  const auto r = range(x, axis, start, stop, step);
  if (r.size == x.shape()[axis] && r.size != any) return x;
  Shape shape = x.shape();
  shape[axis] = r.size;
  const bool over_mask = axis < rows::mask_rank(x);
  const Mask mask = over_mask ? masks::slice(x.mask(), axis, r.start, r.size, r.step) : x.mask();
  if (x.is_meta()) return rows::make_meta(shape, x.dtype(), mask);
  if (over_mask) {
    return rearrange::take_rows("slice", x, sliced_rows(x, mask, axis, r), shape, mask);
  }
  if (r.step > 1) return strided(x, axis, r);
  return rearrange::take_bands("slice", x, axis, r.size, {{{r.start, 0, r.size}, {}}});
}

Tensor select(const Tensor& x, int axis, std::int64_t index) {
  axis = normal_axis("select", axis, x.shape());
  const auto size = x.shape()[axis];
  const bool free = size == any;
  if (size == 0) {
    fail<IndexError>("select",
                     "index {} on axis {} of {}, which has no steps; select from one "
                     "that has",
                     index, axis, x.describe());
  }
  if (!free && (index < -size || index >= size)) {
    fail<IndexError>("select", "index {} on axis {} of {}; expected {} to {}", index, axis,
                     x.describe(), -size, size - 1);
  }
  if (index < 0 && !free) index += size;
  const Shape shape = x.shape().sub(0, axis) + x.shape().sub(axis + 1, x.rank());
  const int mask_rank = rows::mask_rank(x);
  const Mask mask = axis < mask_rank ? masks::select(x.mask(), axis, index) : x.mask();
  if (x.is_meta()) return rows::make_meta(shape, x.dtype(), mask);
  if (axis < mask_rank) {
    auto strides = strides_of(x.mask().shape());
    const auto offset = index * strides[static_cast<std::size_t>(axis)];
    std::copy(strides.begin() + axis + 1, strides.end(), strides.begin() + axis);
    return rearrange::take_rows("select", x, rearrange::row_map(x.mask(), mask, strides, offset),
                                shape, mask);
  }
  auto view = rearrange::inner_view(x);
  const auto at = static_cast<std::size_t>(axis - mask_rank);
  view.offset = index * view.strides[at];
  view.strides[at] = 0;
  view.shape[axis - mask_rank] = 1;
  return rearrange::take_inner("select", x, view, shape.sub(mask_rank, shape.rank()));
}

}  // namespace maskgrad
