#pragma once

#include <cmath>
#include <functional>
#include <string_view>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/where.hpp>
#include <maskgrad/autograd/plans/broadcast.hpp>
#include <maskgrad/core/kernels/selected.hpp>

// What operations on two tensors, value by value, are made of: three formulas, each a generic lambda
// of single values: value(a, b), and da(dy, a, b) and db(dy, a, b), what of dy goes to a and to b
// (nothing of a dy of 0, for which they are not asked). The last two are used with tensors too,
// which makes the second derivative and all others: they branch by `choose`.
namespace maskgrad::binary_op {

/// `reads`: da and db need a and b, which are kept for backward. `a_passes`, `b_passes`: dy itself
/// goes there.
template <bool reads_, bool a_passes, bool b_passes, class Value, class DA, class DB>
struct Function {
  static constexpr bool reads = reads_, passes[2] = {a_passes, b_passes};
  Value value;
  DA da;
  DB db;

  /// What of dy goes to input `which`.
  template <int which, class T>
  auto share(const T& dy, const T& a, const T& b) const {
    if constexpr (which == 0) return da(dy, a, b);
    if constexpr (which == 1) return db(dy, a, b);
  }
};
template <class Value, class DA, class DB>
constexpr Function<true, false, false, Value, DA, DB> function(Value value, DA da, DB db) {
  return {value, da, db};
}
/// One whose gradient does not read a and b.
template <bool a_passes, bool b_passes, class Value, class DA, class DB>
constexpr Function<false, a_passes, b_passes, Value, DA, DB> unread(Value value, DA da, DB db) {
  return {value, da, db};
}

/// `condition ? a : b`, of numbers without a branch, which makes loops vectors.
template <Real T>
constexpr T choose(bool condition, T a, T b) {
  return condition ? a : b;
}
inline Tensor choose(const Tensor& condition, const Tensor& a, const Tensor& b) {
  return where(condition, a, b);
}
template <Real T>
constexpr T nothing(T) {
  return T(0);
}
inline Tensor nothing(const Tensor& like) {
  return zeros_like(like);
}
/// a b, of which neither is read where the other is 0. (Of tensors the value is not used.)
template <Real T>
constexpr T selected(T a, T b) {
  return kernels::selected(a, b);
}
inline Tensor selected(const Tensor& a, const Tensor& b) {
  return a * b;
}
template <Real T>
constexpr bool above(T a, T b) {
  return a > b;
}
inline Tensor above(const Tensor& a, const Tensor& b) {
  return greater(a, b);
}
template <Real T>
constexpr bool same(T a, T b) {
  return a == b;
}
inline Tensor same(const Tensor& a, const Tensor& b) {
  return equal(a, b);
}

template <bool reals, class F>
Tensor forward(const F& f, const Broadcast& plan, const Tensor& a, const Tensor& b) {
  Tensor y = rows::make(plan.shape, a.dtype(), plan.mask);
  const auto run = [&]<class T>() {
    if constexpr (!std::is_same_v<T, bool>) {
      const T *pa = rows::of<T>(a).data(), *pb = rows::of<T>(b).data();
      T* py = rows::of_mutable<T>(y).data();
      kernels::over_pairs(plan, [=](std::int64_t i, std::int64_t ia, std::int64_t ib) {
        py[i] = f.value(pa[ia], pb[ib]);
      });
    }
  };
  if constexpr (reals) {
    dispatch_real("forward", a.dtype(), run);
  } else {
    dispatch(a.dtype(), run);
  }
  return y;
}

/// Puts what of dy goes to an input, for the n values of the result from `at` on.
template <class T>
using Shares = std::function<void(std::int64_t at, std::int64_t n, T* to)>;

/// Adds them to the gradient of an input, of which `side` of the plan says where its values are.
template <class T>
void collect(const Broadcast& plan, const Broadcast::Side& side, const Shares<T>& shares,
             tape::Slot& slot);
/// The same as an operation: the sum of `share`, which is like the result, for an input like
/// `slot`.
Tensor collected(std::string_view op, const Broadcast& plan, const Broadcast::Side& side,
                 const Tensor& share, const tape::Slot& slot);

/// Adds what goes to input `which` to its gradient. A tensor without values stands for one that is
/// not read.
template <int which, class F>
void backward(const F& f, const Broadcast& plan, const Tensor& dy, const Tensor* a, const Tensor* b,
              Grads& grads) {
  if (!grads.wants(which)) return;
  const auto& side = which == 0 ? plan.a : plan.b;
  if constexpr (F::passes[which]) {
    if (side.one_to_one) return grads.add(which, dy);
  }
  dispatch_real("backward", dy.dtype(), [&]<class T>() {
    struct Read {
      const F& f;
      const Broadcast& plan;
      const T *dy, *a, *b;  // null where not read
    } const read{f, plan, rows::of<T>(dy).data(), a ? rows::of<T>(*a).data() : nullptr,
                 b ? rows::of<T>(*b).data() : nullptr};
    collect<T>(
        plan, side,
        [&read](std::int64_t at, std::int64_t n, T* to) {
          const T *pd = read.dy, *pa = read.a, *pb = read.b;
          const F g = read.f;
          kernels::walk_pairs(
              read.plan, at, at + n, [=](std::int64_t i, std::int64_t ia, std::int64_t ib) {
                const T x = F::reads ? pa[ia] : T(0), z = F::reads ? pb[ib] : T(0);
                to[i - at] = kernels::selected_by(pd[i], g.template share<which>(pd[i], x, z));
              });
        },
        grads.slot(which));
  });
}

/// The same as operations.
template <int which, class F>
void tell(std::string_view name, const F& f, const Broadcast& plan, const Tensor& dy,
          const Tensor& a, const Tensor& b, Adjoint& grads) {
  if (!grads.wants(which)) return;
  const Tensor share = f.template share<which>(dy, a, b);
  grads.add(which, collected(name, plan, which == 0 ? plan.a : plan.b, share, grads.layout(which)));
}

template <bool reals, class F>
Tensor apply(std::string_view name, const Tensor& a, const Tensor& b, const F& f) {
  check::same_dtype(name, a, b);
  const Broadcast plan(name, a, b);
  if (a.is_meta() || b.is_meta()) return rows::make_meta(plan.shape, a.dtype(), plan.mask);
  const Tensor y = forward<reals>(f, plan, a, b);
  if constexpr (F::reads) {
    return record(name, y, {a, b},
                  [f, name, plan, a = Saved(a), b = Saved(b)](const Tensor& dy, auto& grads) {
                    if constexpr (is_adjoint<decltype(grads)>) {
                      const Tensor x = grads.input(0, a), z = grads.input(1, b);
                      tell<0>(name, f, plan, dy, x, z, grads);
                      tell<1>(name, f, plan, dy, x, z, grads);
                    } else {
                      backward<0>(f, plan, dy, &a.get(), &b.get(), grads);
                      backward<1>(f, plan, dy, &a.get(), &b.get(), grads);
                    }
                  });
  } else {
    return record(name, y, {a, b}, [f, name, plan](const Tensor& dy, auto& grads) {
      if constexpr (is_adjoint<decltype(grads)>) {
        tell<0>(name, f, plan, dy, dy, dy, grads);
        tell<1>(name, f, plan, dy, dy, dy, grads);
      } else {
        backward<0>(f, plan, dy, nullptr, nullptr, grads);
        backward<1>(f, plan, dy, nullptr, nullptr, grads);
      }
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

namespace maskgrad {

/// Applies a function to every pair of values: the whole of an elementwise operation on two
/// tensors, of f32 or f64.
/// Mask:     each broadcast, the AND of both. Gradient: summed over the axes that were broadcast.
/// Throws:   TypeError, ShapeError.
template <class F>
Tensor binary(std::string_view name, const Tensor& a, const Tensor& b, const F& f) {
  check::real(name, a);
  return binary_op::apply<true>(name, a, b, f);
}
/// The same for a function that takes i64 too.
template <class F>
Tensor binary_of_numbers(std::string_view name, const Tensor& a, const Tensor& b, const F& f) {
  check::numeric(name, a);
  return binary_op::apply<false>(name, a, b, f);
}

}  // namespace maskgrad
