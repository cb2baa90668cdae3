#include <maskgrad/autograd/ops/shape/repeat.hpp>

#include <algorithm>

#include <maskgrad/autograd/ops/elementwise/binary.hpp>
#include <maskgrad/autograd/ops/shape/rearrange.hpp>
#include <maskgrad/core/checked.hpp>

namespace maskgrad {
namespace {

constexpr std::string_view repeat_way_out = "it works on inner axes";

/// An inner axis made `times` as long: each step repeated, or the axis as a whole.
Tensor longer(std::string_view op, const Tensor& x, std::int64_t times, int axis, bool each) {
  axis = check::inner_axis(op, x, axis, repeat_way_out);
  const auto size = x.shape()[axis];
  if (times < 0 || (size > 0 && times > checked::most / size)) {
    fail<ShapeError>(op, "{} times axis {} of {}; expected 0 or more, and a size that i64 can hold",
                     times, axis, x.describe());
  }
  Shape shape = x.shape();
  shape[axis] = size == any ? any : size * times;
  if (x.is_meta()) return rows::make_meta(shape, x.dtype(), x.mask());
  const int mask_rank = rows::mask_rank(x);
  const auto tail = shape.count(axis + 1, shape.rank());
  const auto lines = shape.count(mask_rank, axis);
  kernels::Strided view;
  view.shape = each ? Shape{lines, size, times, tail} : Shape{lines, times, size, tail};
  view.strides = {size * tail, each ? tail : 0, each ? 0 : tail, 1};
  return rearrange::take_inner(op, x, view, shape.sub(mask_rank, shape.rank()));
}

bool goes_to(const Tensor& x, const Shape& shape) {
  const int lead = shape.rank() - x.rank();
  bool fit = lead >= 0 && (x.is_meta() || !shape.has_any());
  for (int i = 0; fit && i < x.rank(); ++i) {
    fit = x.shape()[i] == 1 || fits(x.shape()[i], shape[lead + i]);
  }
  return fit;
}

}  // namespace

Tensor repeat(const Tensor& x, std::int64_t times, int axis) {
  return longer("repeat", x, times, axis, true);
}

Tensor tile(const Tensor& x, std::int64_t times, int axis) {
  return longer("tile", x, times, axis, false);
}

Tensor pad(const Tensor& x, int axis, std::int64_t before, std::int64_t after, double value) {
  axis = check::inner_axis("pad", x, axis, repeat_way_out);
  const auto size = x.shape()[axis];
  if (before < 0 || after < 0) {
    fail<ShapeError>("pad",
                     "{} before and {} after axis {} of {}; expected 0 or more. Use slice to make "
                     "an axis shorter",
                     before, after, axis, x.describe());
  }
  Shape shape = x.shape();
  shape[axis] = checked::size_sum("pad", "the longer axis", {before, size, after});
  if (x.is_meta()) return rows::make_meta(shape, x.dtype(), x.mask());
  return rearrange::take_bands("pad", x, axis, shape[axis], {{{0, before, size}, {}}}, value);
}

Tensor roll(const Tensor& x, std::int64_t by, int axis) {
  axis = check::inner_axis("roll", x, axis, repeat_way_out);
  const auto size = x.shape()[axis];
  if (x.is_meta() || size == 0) return x;
  const auto left = (by % size + size) % size;
  return rearrange::take_bands("roll", x, axis, size,
                               {{{0, left, size - left}, {size - left, 0, left}}});
}

Tensor broadcast_to(const Tensor& x, const Shape& shape) {
  if (shape == x.shape() && !x.is_meta()) return x;
  if (!goes_to(x, shape)) {
    fail<ShapeError>("broadcast_to", "{} to {}; expected sizes equal to the last ones there, or 1",
                     x.describe(), shape);
  }
  const Tensor like = rows::make_meta(shape, x.dtype());
  const Broadcast joint("broadcast_to", like, x);
  if (x.is_meta()) return rows::make_meta(joint.shape, x.dtype(), joint.mask);
  const Tensor y = rows::make(shape, x.dtype(), joint.mask);
  const Broadcast plan("broadcast_to", x, y);
  const auto spread = [plan](const Tensor& from, const Tensor& to) {
    dispatch(from.dtype(), [&]<class T>() {
      const T* values = rows::of<T>(from).data();
      T* at = rows::of_mutable<T>(to).data();
      kernels::over_pairs(
          plan, [=](std::int64_t i, std::int64_t ix, std::int64_t) { at[i] = values[ix]; });
    });
    return to;
  };
  return record_linear(
      "broadcast_to", spread(x, y), {x},
      [spread, shape, mask = joint.mask](const Tensor& g) {
        return spread(g, rows::make(shape, g.dtype(), mask));
      },
      [plan](const Tensor& dy, Grads& grads) {
        dispatch_real("broadcast_to", dy.dtype(), [&]<class T>() {
          const T* from = rows::of<T>(dy).data();
          binary_op::collect<T>(
              plan, plan.a,
              [=](std::int64_t at, std::int64_t n, T* to) { std::copy_n(from + at, n, to); },
              grads.slot(0));
        });
      });
}

}  // namespace maskgrad
