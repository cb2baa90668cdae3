#include <algorithm>

#include <maskgrad/autograd/ops/shape/gather.hpp>
#include <maskgrad/autograd/ops/shape/rearrange.hpp>

namespace maskgrad {
namespace {

constexpr std::string_view along_way_out = "an index works along inner axes";

bool same_but(const Shape& a, const Shape& b, int axis) {
  bool same = a.rank() == b.rank();
  for (int i = 0; same && i < a.rank(); ++i) same = i == axis || fits(a[i], b[i]);
  return same;
}

/// An index along an inner axis of several tensors, x and the index first: their masks combined.
struct Along {
  Along(std::string_view op_, int axis_, std::initializer_list<const Tensor*> inputs);

  /// The block of a tensor for each row of the mask; without a mask, its one.
  Index rows_of(const Tensor& t) const;
  /// For each value of the index, its place in blocks of the sizes of `x`, block blocks[row].
  Index offsets(const Tensor& x, const Tensor& index, const Index& blocks) const;

  std::string_view op;
  int axis, mask_axes = 0;
  bool meta = false;
  Mask mask;
};

Along::Along(std::string_view op_, int axis_, std::initializer_list<const Tensor*> inputs)
    : op(op_), axis(axis_) {
  for (const auto* t : inputs) {
    axis = check::inner_axis(op, *t, axis, along_way_out);
    mask_axes = std::max(mask_axes, rows::mask_rank(*t));
    meta = meta || t->is_meta();
  }
  for (const auto* t : inputs) {
    const auto own = rearrange::extended(*t, t->shape(), mask_axes);
    mask = masks::both(mask, own, t->shape().sub(0, mask_axes));
  }
}

Index Along::rows_of(const Tensor& t) const {
  if (mask) return rearrange::Blocks(t, mask_axes).under(mask);
  Index one(1);
  one[0] = 0;
  return one;
}

Index Along::offsets(const Tensor& x, const Tensor& index, const Index& blocks) const {
  const auto& shape = index.shape();
  const auto lines = shape.count(mask_axes, axis), steps = shape[axis], size = x.shape()[axis];
  const auto tail = shape.count(axis + 1, shape.rank());
  const auto* ids = rows::of<std::int64_t>(index).data();
  const auto own = rows_of(index);
  Index offsets(own.size() * lines * steps * tail);
  std::int64_t at = 0;
  for (std::int64_t r = 0; r < own.size(); ++r) {
    for (std::int64_t i = 0; i < lines * steps * tail; ++i, ++at) {
      const auto id = ids[own[r] * lines * steps * tail + i];
      if (id < 0 || id >= size) {
        fail<IndexError>(op, "id {} at position {} of {}; expected 0 <= id < {}, for axis {} of {}",
                         id, rearrange::position_of(index, own[r] * lines * steps * tail + i),
                         index.describe(), size, axis, x.describe());
      }
      const auto line = blocks[r] * lines + i / (steps * tail);
      offsets[at] = (line * size + id) * tail + i % tail;
    }
  }
  return offsets;
}

void check_index(std::string_view op, const Tensor& x, const Tensor& index, int axis) {
  check::ids(op, index);
  axis = normal_axis(op, axis, x.shape());
  if (same_but(index.shape(), x.shape(), axis)) return;
  fail<ShapeError>(op, "the index is {} for {}; expected the same sizes on every axis but {}",
                   index.describe(), x.describe(), axis);
}

}  // namespace

Tensor take_along_axis(const Tensor& x, const Tensor& index, int axis) {
  check_index("take_along_axis", x, index, axis);
  const Along along("take_along_axis", axis, {&x, &index});
  Shape shape = x.shape();
  shape[along.axis] = index.shape()[along.axis];
  if (along.meta) return rows::make_meta(shape, x.dtype(), along.mask);
  const auto from = along.offsets(x, index, along.rows_of(x));
  const auto taken = [from, shape, mask = along.mask](const Tensor& values) {
    const Tensor y = rows::make(shape, values.dtype(), mask);
    dispatch(values.dtype(), [&]<class T>() {
      kernels::gather_rows(rows::of<T>(values).data(), from, 1, rows::of_mutable<T>(y).data());
    });
    return y;
  };
  return record_linear("take_along_axis", taken(x), {x}, taken,
                       [from, total = rows::total(x)](const Tensor& dy, Grads& grads) {
                         dispatch_real("take_along_axis", dy.dtype(), [&]<class T>() {
                           kernels::scatter_add_rows(rows::of<T>(dy).data(), from, 1, total,
                                                     grads.into<T>(0).data());
                         });
                       });
}

namespace {

/// x and the updates under the joint mask, and where each update goes in the result.
struct Scatter {
  Index x_rows, update_rows, to;
  std::int64_t x_width, update_width, total;
};

void send_back(const Scatter& plan, const Tensor& dy, Grads& grads) {
  dispatch_real("scatter_add", dy.dtype(), [&]<class T>() {
    const T* from = rows::of<T>(dy).data();
    if (grads.wants(0)) {
      kernels::put_add_rows(from, plan.x_rows, plan.x_width, grads.into<T>(0).data());
    }
    if (!grads.wants(1)) return;
    Pooled<T> values(plan.to.size());
    kernels::gather_rows(from, plan.to, 1, values.data());
    kernels::put_add_rows(values.data(), plan.update_rows, plan.update_width,
                          grads.into<T>(1).data());
  });
}

/// Of one that is not defined zeros.
template <class T>
void add_updates(const Scatter& plan, const Tensor& x, const Tensor& updates, const Tensor& y) {
  T* to = rows::of_mutable<T>(y).data();
  if (x.defined()) {
    kernels::gather_rows(rows::of<T>(x).data(), plan.x_rows, plan.x_width, to);
  } else {
    std::fill_n(to, plan.total, T(0));
  }
  if (!updates.defined()) return;
  Pooled<T> values(plan.to.size());
  kernels::gather_rows(rows::of<T>(updates).data(), plan.update_rows, plan.update_width,
                       values.data());
  kernels::scatter_add_rows(values.data(), plan.to, 1, plan.total, to);
}

}  // namespace

Tensor scatter_add(const Tensor& x, const Tensor& index, const Tensor& updates, int axis) {
  check::same_dtype("scatter_add", x, updates);
  check::numeric("scatter_add", x);
  check_index("scatter_add", x, index, axis);
  if (index.rank() != updates.rank() || !fits(index.shape(), updates.shape())) {
    fail<ShapeError>("scatter_add", "updates {} for the index {}; expected one shape",
                     updates.describe(), index.describe());
  }
  const Along along("scatter_add", axis, {&x, &index, &updates});
  if (along.meta) return rows::make_meta(x.shape(), x.dtype(), along.mask);
  const Tensor y = rows::make(x.shape(), x.dtype(), along.mask);
  Index own(rows::count(y));  // the result's rows, as they are
  for (std::int64_t r = 0; r < own.size(); ++r) own[r] = r;
  const auto rank = x.rank(), mask_axes = along.mask_axes;
  const Scatter plan{along.rows_of(x),
                     along.rows_of(updates),
                     along.offsets(x, index, own),
                     x.shape().count(mask_axes, rank),
                     updates.shape().count(mask_axes, rank),
                     rows::total(y)};
  dispatch(x.dtype(), [&]<class T>() {
    if constexpr (!std::is_same_v<T, bool>) add_updates<T>(plan, x, updates, y);
  });
  return record_linear(
      "scatter_add", y, {x, updates},
      [plan, shape = y.shape(), mask = y.mask()](int i, const Tensor& g) {
        const Tensor part = rows::make(shape, g.dtype(), mask);
        dispatch_real("scatter_add", g.dtype(), [&]<class T>() {
          add_updates<T>(plan, i == 0 ? g : Tensor(), i == 0 ? Tensor() : g, part);
        });
        return part;
      },
      [plan](const Tensor& dy, Grads& grads) { send_back(plan, dy, grads); });
}

}  // namespace maskgrad
