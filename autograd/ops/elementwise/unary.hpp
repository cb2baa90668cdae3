#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/core/kernels/add_to.hpp>
#include <maskgrad/core/kernels/selected.hpp>

// An elementwise operation is two formulas, its value and its slope, each a generic lambda of one
// value. The slope's is used with tensors too, which makes the second derivative and all others:
// it is written with `as<T>(0.5)` for numbers that are not whole, and with functions that exist for
// both. Where whole arrays are faster a formula is f(x, y, n) instead; the slope then has a third,
// for tensors.

namespace maskgrad::unary_op {

/// What the slope is computed from; only that is kept for backward.
enum class Reads { input, result };

/// `bent`: made of straight parts, so that the slope's own derivative is 0.
template <Reads reads_, bool bent_, class Value, class Slope, class Told>
struct Function {
  static constexpr Reads reads = reads_;
  static constexpr bool bent = bent_;
  Value value;
  Slope slope;
  Told told;
};

template <Reads reads, bool bent, class Value, class Slope, class Told>
constexpr Function<reads, bent, Value, Slope, Told> function(Value value, Slope slope, Told told) {
  return {std::move(value), std::move(slope), std::move(told)};
}

/// slope(x).
template <class Value, class Slope>
constexpr auto of_input(Value value, Slope slope) {
  return function<Reads::input, false>(value, slope, slope);
}
template <class Value, class Slopes, class Slope>
constexpr auto of_input(Value value, Slopes slopes, Slope slope) {
  return function<Reads::input, false>(value, slopes, slope);
}
/// slope(y), of the result.
template <class Value, class Slope>
constexpr auto of_result(Value value, Slope slope) {
  return function<Reads::result, false>(value, slope, slope);
}
/// slope(x), constant between the kinks.
template <class Value, class Slope>
constexpr auto bent(Value value, Slope slope) {
  return function<Reads::input, true>(value, slope, slope);
}
template <class Value, class Slope>
constexpr auto bent_of_result(Value value, Slope slope) {
  return function<Reads::result, true>(value, slope, slope);
}
/// One whose derivative is 0 everywhere.
struct NoSlope {};
template <class Value>
constexpr auto steps(Value value) {
  return function<Reads::result, true>(value, NoSlope{}, NoSlope{});
}

/// A number beside values of type T: of T, or one that takes the tensor's type.
template <class T>
constexpr auto as(double number) {
  if constexpr (std::is_arithmetic_v<T>) {
    return static_cast<T>(number);
  } else {
    return number;
  }
}

// No array overlaps another, so that no loop needs a second, slow form for when they do.
template <class F, class T>
void each(F f, const T* __restrict x, T* __restrict y, std::int64_t n) {
  if constexpr (std::is_invocable_v<F, const T*, T*, std::int64_t>) {
    f(x, y, n);
  } else {
    for (std::int64_t i = 0; i < n; ++i) y[i] = f(x[i]);
  }
}

/// dx = dy * slope(kept), of which neither is read where the other is 0.
template <bool bent, class F, class T>
void slopes(F slope, const T* __restrict kept, const T* __restrict dy, T* __restrict dx,
            std::int64_t n) {
  if constexpr (std::is_invocable_v<F, const T*, T*, std::int64_t>) {
    slope(kept, dx, n);
    for (std::int64_t i = 0; i < n; ++i) dx[i] = kernels::selected(dy[i], dx[i]);
  } else if constexpr (bent) {
    // In one loop a compiler makes branches of a slope that is one of few numbers.
    constexpr std::int64_t block = 512;
    for (; n > 0; n -= block, kept += block, dy += block, dx += block) {
      const auto size = n < block ? n : block;
      for (std::int64_t i = 0; i < size; ++i) dx[i] = slope(kept[i]);
      for (std::int64_t i = 0; i < size; ++i) dx[i] = kernels::selected(dy[i], dx[i]);
    }
  } else {
    for (std::int64_t i = 0; i < n; ++i) dx[i] = kernels::selected(dy[i], slope(kept[i]));
  }
}

template <bool integers, class F>
Tensor forward(const Tensor& x, const F& f) {
  Tensor y = rows::make(x.shape(), x.dtype(), x.mask());
  const auto run = [&]<class T>() {
    const T* from = rows::of<T>(x).data();
    T* to = rows::of_mutable<T>(y).data();
    kernels::over_parts(rows::total(x), [&](std::int64_t at, std::int64_t end) {
      each(f.value, from + at, to + at, end - at);
    });
  };
  if constexpr (integers) {
    if (x.dtype() == DType::i64) {
      run.template operator()<std::int64_t>();
      return y;
    }
  }
  dispatch_real("forward", x.dtype(), run);
  return y;
}

template <class F>
Tensor backward(const Tensor& kept, const Tensor& dy, const F& f) {
  if constexpr (std::is_same_v<decltype(f.slope), NoSlope>) {
    return zeros_like(dy);
  } else {
    Tensor dx = rows::make(dy.shape(), dy.dtype(), dy.mask());
    dispatch_real("backward", dy.dtype(), [&]<class T>() {
      const T* from = rows::of<T>(kept).data();
      const T* pd = rows::of<T>(dy).data();
      T* to = rows::of_mutable<T>(dx).data();
      kernels::over_parts(rows::total(dy), [&](std::int64_t at, std::int64_t end) {
        slopes<F::bent>(f.slope, from + at, pd + at, to + at, end - at);
      });
    });
    return dx;
  }
}

template <bool integers, class F>
Tensor apply(std::string_view name, const Tensor& x, const F& f) {
  if (x.is_meta()) return rows::make_meta(x.shape(), x.dtype(), x.mask());
  const Tensor y = forward<integers>(x, f);
  const auto keep = [&] {
    if constexpr (F::reads == Reads::result) {
      return y;
    } else {
      return Saved(x);
    }
  };
  if constexpr (F::bent) {
    return record_symmetric(name, y, x, [f, kept = keep()](const Tensor& dy) {
      return backward(detail::value_of(kept), dy, f);
    });
  } else {
    return record(name, y, {x}, [f, kept = keep()](const Tensor& dy, auto& grads) {
      if constexpr (is_adjoint<decltype(grads)>) {
        if constexpr (F::reads == Reads::result) {
          grads.add(0, dy * f.told(grads.result(kept)));
        } else {
          grads.add(0, dy * f.told(grads.input(0, kept)));
        }
      } else {
        grads.add(0, backward(detail::value_of(kept), dy, f));
      }
    });
  }
}

}  // namespace maskgrad::unary_op

namespace maskgrad {

/// Applies a function to every value: the whole of an elementwise operation on one tensor.
/// Mask:     propagates. Gradient: dy times the function's slope; 0 where either is 0.
/// Throws:   TypeError where it does not take the tensor's type.
template <class F>
Tensor unary(std::string_view name, const Tensor& x, const F& f) {
  check::real(name, x);
  return unary_op::apply<false>(name, x, f);
}
/// The same for a function that takes i64 too.
template <class F>
Tensor unary_of_numbers(std::string_view name, const Tensor& x, const F& f) {
  check::numeric(name, x);
  return unary_op::apply<true>(name, x, f);
}

}  // namespace maskgrad
