#pragma once

#include <cstdint>
#include <string_view>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/core/kernels/add_to.hpp>
#include <maskgrad/core/kernels/selected.hpp>

namespace maskgrad {

/// What the derivative of an elementwise function is computed from; only that is kept for backward.
enum class GradientReads { nothing, input, result };

namespace unary_op {

// A function is an object with `static constexpr GradientReads keeps`, `value(x)` and, unless it keeps
// nothing (its derivative is zero), `slope(kept)`. With `static constexpr bool integers = true` it
// takes i64 too. Where whole arrays are faster it has `values(x, y, n)` and `slopes(kept, s, n)`.

template <class Op>
inline constexpr bool takes_integers = requires {
  Op::integers;
};

// The functions come by value, so that what they hold is known to change in no loop.
// No array overlaps another, so that no loop needs a second, slow form for when they do.
template <class Op, class T>
void values(Op op, const T* __restrict x, T* __restrict y, std::int64_t n) {
  if constexpr (requires { op.values(x, y, n); }) {
    op.values(x, y, n);
  } else {
    for (std::int64_t i = 0; i < n; ++i) y[i] = op.value(x[i]);
  }
}

/// dx = dy * slope(kept), of which neither is read where the other is 0.
template <class Op, class T>
void slopes(Op op, const T* __restrict kept, const T* __restrict dy, T* __restrict dx,
            std::int64_t n) {
  if constexpr (requires { op.slopes(kept, dx, n); }) {
    op.slopes(kept, dx, n);
    for (std::int64_t i = 0; i < n; ++i) dx[i] = kernels::selected(dy[i], dx[i]);
  } else {
    for (std::int64_t i = 0; i < n; ++i) dx[i] = kernels::selected(dy[i], op.slope(kept[i]));
  }
}

template <class Op>
Tensor forward(const Tensor& x, const Op& op) {
  Tensor y = rows::make(x.shape(), x.dtype(), x.mask());
  const auto run = [&]<class T>() {
    const T* from = rows::of<T>(x).data();
    T* to = rows::of_mutable<T>(y).data();
    kernels::over_parts(rows::total(x), [&](std::int64_t at, std::int64_t end) {
      values(op, from + at, to + at, end - at);
    });
  };
  if constexpr (takes_integers<Op>) {
    if (x.dtype() == DType::i64) {
      run.template operator()<std::int64_t>();
      return y;
    }
  }
  dispatch_real("forward", x.dtype(), run);
  return y;
}

template <class Op>
Tensor backward(const Tensor& kept, const Tensor& dy, const Op& op) {
  Tensor dx = rows::make(dy.shape(), dy.dtype(), dy.mask());
  dispatch_real("backward", dy.dtype(), [&]<class T>() {
    const T* from = rows::of<T>(kept).data();
    const T* pd = rows::of<T>(dy).data();
    T* to = rows::of_mutable<T>(dx).data();
    kernels::over_parts(rows::total(dy), [&](std::int64_t at, std::int64_t end) {
      slopes(op, from + at, pd + at, to + at, end - at);
    });
  });
  return dx;
}

}  // namespace unary_op

/// Applies a function to every value: the whole of an elementwise operation on one tensor.
/// Mask:     propagates. Gradient: dy times the function's slope; 0 where either is 0.
/// Throws:   TypeError where it does not take the tensor's type.
template <class Op>
Tensor unary(std::string_view name, const Tensor& x, const Op& op) {
  if constexpr (unary_op::takes_integers<Op>) {
    check::numeric(name, x);
  } else {
    check::real(name, x);
  }
  if (x.is_meta()) return rows::make_meta(x.shape(), x.dtype(), x.mask());
  const Tensor y = unary_op::forward(x, op);
  if constexpr (Op::keeps == GradientReads::nothing) {
    return record(name, y, {x}, [](const Tensor& dy, Grads& grads) {
      grads.add(0, rows::make_zeros(dy.shape(), dy.dtype(), dy.mask()));
    });
  } else if constexpr (Op::keeps == GradientReads::result) {
    return record(name, y, {x}, [op, y](const Tensor& dy, Grads& grads) {
      grads.add(0, unary_op::backward(y, dy, op));
    });
  } else {
    return record(name, y, {x}, [op, x = Saved(x)](const Tensor& dy, Grads& grads) {
      grads.add(0, unary_op::backward(x.get(), dy, op));
    });
  }
}

}  // namespace maskgrad
