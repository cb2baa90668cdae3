#include <maskgrad/autograd/ops/elementwise/where.hpp>

#include <algorithm>

#include <maskgrad/autograd/ops/elementwise/binary.hpp>
#include <maskgrad/autograd/ops/shape/rearrange.hpp>

namespace maskgrad {
namespace {

/// The condition for each stored value of `y`.
Pooled<bool> broadcast_condition(const Tensor& y, const Tensor& condition) {
  Pooled<bool> taken(rows::total(y));
  const Broadcast plan("where", y, condition);
  const bool* from = rows::of<bool>(condition).data();
  bool* to = taken.data();
  kernels::over_pairs(plan,
                      [=](std::int64_t i, std::int64_t, std::int64_t ic) { to[i] = from[ic]; });
  return taken;
}

/// Puts the values of `x`, broadcast, where the condition is `side`.
template <class T>
void put(const Broadcast& plan, const Pooled<bool>& taken, bool side, const Tensor& x, T* y) {
  const T* from = rows::of<T>(x).data();
  const bool* is = taken.data();
  kernels::over_pairs(plan, [=](std::int64_t i, std::int64_t, std::int64_t ix) {
    if (is[i] == side) y[i] = from[ix];
  });
}

/// Adds dy, where the condition is `side`, to the gradient of input `which`.
void send(const Broadcast& plan, const Pooled<bool>& taken, bool side, const Tensor& dy,
          Grads& grads, int which) {
  if (!grads.wants(which)) return;
  dispatch_real("where", dy.dtype(), [&]<class T>() {
    const T* from = rows::of<T>(dy).data();
    const bool* is = taken.data();
    binary_op::collect<T>(
        plan, plan.b,
        [=](std::int64_t at, std::int64_t n, T* to) {
          for (std::int64_t i = 0; i < n; ++i) to[i] = is[at + i] == side ? from[at + i] : T(0);
        },
        grads.slot(which));
  });
}

/// The values of one side and zeros in the place of the other.
Tensor of_side(const Broadcast& plan, const Pooled<bool>& taken, bool side, const Tensor& x) {
  Tensor part = rows::make_zeros(plan.shape, x.dtype(), plan.mask);
  dispatch_real("where", x.dtype(),
                [&]<class T>() { put(plan, taken, side, x, rows::of_mutable<T>(part).data()); });
  return part;
}

}  // namespace

Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
  if (condition.dtype() != DType::boolean) {
    fail<TypeError>("where",
                    "the condition is {}; expected bool. Compare it, as in not_equal(x, y)",
                    condition.describe());
  }
  check::same_dtype("where", a, b);
  const Broadcast pair("where", a, b);
  const Tensor like = rows::make_meta(pair.shape, a.dtype(), pair.mask);
  const Broadcast all("where", like, condition);
  if (condition.is_meta() || a.is_meta() || b.is_meta()) {
    return rows::make_meta(all.shape, a.dtype(), all.mask);
  }
  const Tensor y = rows::make(all.shape, a.dtype(), all.mask);
  const auto taken = broadcast_condition(y, condition);
  const Broadcast to_a("where", y, a), to_b("where", y, b);
  dispatch(a.dtype(), [&]<class T>() {
    put(to_a, taken, true, a, rows::of_mutable<T>(y).data());
    put(to_b, taken, false, b, rows::of_mutable<T>(y).data());
  });
  return record_linear(
      "where", y, {a, b},
      [to_a, to_b, taken](int i, const Tensor& g) {
        return of_side(i == 0 ? to_a : to_b, taken, i == 0, g);
      },
      [to_a, to_b, taken](const Tensor& dy, Grads& grads) {
        send(to_a, taken, true, dy, grads, 0);
        send(to_b, taken, false, dy, grads, 1);
      });
}

namespace {

void check_shapes(const Tensor& a, const Tensor& b) {
  check::same_dtype("or_else", a, b);
  if (a.rank() == b.rank() && fits(a.shape(), b.shape())) return;
  fail<ShapeError>("or_else",
                   "{} or else {}; expected one shape. Bring the second to it with "
                   "broadcast_to(b, shape)",
                   a.describe(), b.describe());
}

/// The block of `a` for each of b's, -1 where `a` is not valid. Their axes are the mask axes of
/// either.
Index blocks_taken(const Tensor& x, const Tensor& y, int axes) {
  if (!y.has_mask() && rows::mask_rank(x) == axes) return x.mask().impl().row_of();
  const rearrange::Blocks a(x, axes), b(y, axes);
  Index from(b.count());
  for (std::int64_t k = 0; k < from.size(); ++k) from[k] = a.at(b.position(k));
  return from;
}

/// The gradient of a: dy where it was taken. Of b: dy elsewhere.
void send_back(const Index& from, std::int64_t width, const Tensor& dy, Grads& grads) {
  dispatch_real("or_else", dy.dtype(), [&]<class T>() {
    const T* values = rows::of<T>(dy).data();
    if (grads.wants(0)) kernels::put_add_rows(values, from, width, grads.into<T>(0).data());
    if (!grads.wants(1)) return;
    T* to = grads.into<T>(1).data();
    kernels::over_rows(from.size(), width, [&](std::int64_t k, std::int64_t end) {
      for (; k < end; ++k) {
        if (from[k] < 0) kernels::add_row(values + k * width, width, to + k * width);
      }
    });
  });
}

/// Row k of the result: that of `a` where `from` has one, else that of `b`. Of one that is not
/// defined zeros.
template <class T>
void take_rows(const Index& from, std::int64_t width, const Tensor& a, const Tensor& b, T* y) {
  const T* pa = rows::data_or_null<T>(a);
  const T* pb = rows::data_or_null<T>(b);
  kernels::over_rows(from.size(), width, [&](std::int64_t k, std::int64_t end) {
    for (; k < end; ++k) {
      const bool first = from[k] >= 0;
      const T* x = first ? pa : pb;
      if (x) {
        std::copy_n(x + (first ? from[k] : k) * width, width, y + k * width);
      } else {
        std::fill_n(y + k * width, width, T(0));
      }
    }
  });
}

}  // namespace

Tensor or_else(const Tensor& a, const Tensor& b) {
  check_shapes(a, b);
  Shape shape = b.shape();
  for (int i = 0; i < shape.rank(); ++i) shape[i] = shape[i] == any ? a.shape()[i] : shape[i];
  if (a.is_meta() || b.is_meta()) return rows::make_meta(shape, b.dtype(), b.mask());
  if (a.mask().same(b.mask())) return a;
  const int axes = std::max(rows::mask_rank(a), rows::mask_rank(b));
  const Index from = blocks_taken(a, b, axes);
  const auto width = shape.count(axes, shape.rank());
  const Tensor y = rows::make(shape, b.dtype(), b.mask());
  dispatch(b.dtype(),
           [&]<class T>() { take_rows(from, width, a, b, rows::of_mutable<T>(y).data()); });
  return record_linear(
      "or_else", y, {a, b},
      [from, width, shape, mask = b.mask()](int i, const Tensor& g) {
        const Tensor part = rows::make(shape, g.dtype(), mask);
        dispatch_real("or_else", g.dtype(), [&]<class T>() {
          take_rows(from, width, i == 0 ? g : Tensor(), i == 0 ? Tensor() : g,
                    rows::of_mutable<T>(part).data());
        });
        return part;
      },
      [from, width](const Tensor& dy, Grads& grads) { send_back(from, width, dy, grads); });
}

}  // namespace maskgrad
