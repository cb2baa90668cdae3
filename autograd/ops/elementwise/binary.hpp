#pragma once

#include <cmath>
#include <functional>
#include <string_view>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/plans/broadcast.hpp>
#include <maskgrad/core/kernels/selected.hpp>

/// What operations on two tensors, value by value, are made of. An operation is a type with
/// `value(a, b)`, and `da(dy, a, b)` and `db(dy, a, b)`: what of dy goes to a and to b (nothing of
/// a dy of 0, for which they are not asked); `reads` where that needs a and b. `passes`, where it
/// has that, says of a and b whether it is dy itself; with `reals` it takes no i64.
namespace maskgrad::binary_op {

template <class Op>
Tensor forward(const Broadcast& plan, const Tensor& a, const Tensor& b) {
  Tensor y = rows::make(plan.shape, a.dtype(), plan.mask);
  const auto run = [&]<class T>() {
    if constexpr (!std::is_same_v<T, bool>) {
      const T *pa = rows::of<T>(a).data(), *pb = rows::of<T>(b).data();
      T* py = rows::of_mutable<T>(y).data();
      kernels::over_pairs(plan, [=](std::int64_t i, std::int64_t ia, std::int64_t ib) {
        py[i] = Op::template value<T>(pa[ia], pb[ib]);
      });
    }
  };
  if constexpr (requires { Op::reals; }) {
    dispatch_real("forward", a.dtype(), run);
  } else {
    dispatch(a.dtype(), run);
  }
  return y;
}

/// Whether dy itself goes to input `which`.
template <class Op, int which>
constexpr bool passes() {
  if constexpr (requires { Op::passes; }) return Op::passes[which];
  return false;
}

/// Puts what of dy goes to an input, for the n values of the result from `at` on.
template <class T>
using Shares = std::function<void(std::int64_t at, std::int64_t n, T* to)>;

/// Adds them to the gradient of input `which`, of which `side` of the plan says where its values
/// are.
template <class T>
void collect(const Broadcast& plan, const Broadcast::Side& side, const Shares<T>& shares,
             Grads& grads, int which);

/// Adds what goes to input `which` to its gradient. A tensor without values stands for one that is
/// not read.
template <class Op, int which>
void backward(const Broadcast& plan, const Tensor& dy, const Tensor* a, const Tensor* b,
              Grads& grads) {
  if (!grads.wants(which)) return;
  const auto& side = which == 0 ? plan.a : plan.b;
  if constexpr (passes<Op, which>()) {
    if (side.one_to_one) return grads.add(which, dy);
  }
  dispatch_real("backward", dy.dtype(), [&]<class T>() {
    struct Read {
      const Broadcast& plan;
      const T *dy, *a, *b;  // null where not read
    } const read{plan, rows::of<T>(dy).data(), a ? rows::of<T>(*a).data() : nullptr,
                 b ? rows::of<T>(*b).data() : nullptr};
    collect<T>(
        plan, side,
        [&read](std::int64_t at, std::int64_t n, T* to) {
          const T *pd = read.dy, *pa = read.a, *pb = read.b;
          kernels::walk_pairs(
              read.plan, at, at + n, [=](std::int64_t i, std::int64_t ia, std::int64_t ib) {
                const T x = Op::reads ? pa[ia] : T(0), z = Op::reads ? pb[ib] : T(0);
                const T share =
                    which == 0 ? Op::template da<T>(pd[i], x, z) : Op::template db<T>(pd[i], x, z);
                to[i - at] = kernels::selected_by(pd[i], share);
              });
        },
        grads, which);
  });
}

template <class Op>
Tensor binary(std::string_view name, const Tensor& a, const Tensor& b) {
  check::numeric(name, a);
  check::same_dtype(name, a, b);
  const Broadcast plan(name, a, b);
  if (a.is_meta() || b.is_meta()) return rows::make_meta(plan.shape, a.dtype(), plan.mask);
  const Tensor y = forward<Op>(plan, a, b);
  if constexpr (Op::reads) {
    return record(name, y, {a, b},
                  [plan, a = Saved(a), b = Saved(b)](const Tensor& dy, Grads& grads) {
                    backward<Op, 0>(plan, dy, &a.get(), &b.get(), grads);
                    backward<Op, 1>(plan, dy, &a.get(), &b.get(), grads);
                  });
  } else {
    return record(name, y, {a, b}, [plan](const Tensor& dy, Grads& grads) {
      backward<Op, 0>(plan, dy, nullptr, nullptr, grads);
      backward<Op, 1>(plan, dy, nullptr, nullptr, grads);
    });
  }
}

/// A number in the type of `like`. TypeError where that is i64 and the number is not whole.
inline Tensor number(std::string_view name, double value, const Tensor& like) {
  if (like.dtype() == DType::i64 && value != std::floor(value)) {
    fail<TypeError>(name, "the number {} with {}; expected a whole one. Use cast(x, DType::f32)",
                    value, like.describe());
  }
  return scalar(value, like.dtype());
}

}  // namespace maskgrad::binary_op
