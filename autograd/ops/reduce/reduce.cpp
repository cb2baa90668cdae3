#include <maskgrad/autograd/ops/reduce/reduce.hpp>

#include <cmath>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/reduce/reducers.hpp>
#include <maskgrad/autograd/plans/reduced.hpp>
#include <maskgrad/core/kernels/selected.hpp>

namespace maskgrad {
namespace {

/// dx = dy, divided by the number of values that meet where `mean`.
Tensor broadcast_back(const Reduced& r, const Tensor& dy, bool mean) {
  Tensor dx = r.make_gradient(dy.dtype());
  dispatch_real("backward", dy.dtype(), [&]<class T>() {
    const T* from = rows::of<T>(dy).data();
    T* to = rows::of_mutable<T>(dx).data();
    kernels::over_results(r.plan, [=](std::int64_t at, std::int64_t result, std::int64_t step,
                                      std::int64_t n, std::int64_t terms) {
      const T scale = mean ? T(1) / static_cast<T>(terms) : T(1);
      kernels::each_value(
          n, step, [=](std::int64_t i, std::int64_t k) { to[at + i] = from[result + k] * scale; });
    });
  });
  return dx;
}

template <class T>
void add_up(const Reduced& r, const Tensor& x, const Tensor& y, bool mean) {
  T* to = rows::of_mutable<T>(y).data();
  const T* from = rows::of<T>(x).data();
  kernels::fold(r.plan, from, reducers::Sum<T>{}, [=](std::int64_t i, auto total, std::int64_t n) {
    to[i] = static_cast<T>(mean ? total / static_cast<decltype(total)>(n) : total);
  });
  if constexpr (std::is_same_v<T, double>) {
    // A sum on the way may be beyond f64 where the result is not.
    if (kernels::all_finite(to, rows::total(y))) return;
    kernels::fold(
        r.plan, from, reducers::ScaledSum{}, [=](std::int64_t i, double total, std::int64_t n) {
          if (std::isfinite(to[i])) return;
          to[i] = (mean ? total / static_cast<double>(n) : total) / reducers::ScaledSum::scale;
        });
  }
}

/// dx = dy times the product of the other values.
Tensor product_backward(const Reduced& r, const Tensor& x, const Tensor& dy) {
  Tensor dx = r.make_gradient(dy.dtype());
  dispatch_real("backward", dy.dtype(), [&]<class T>() {
    Pooled<reducers::NonZero::State> all(rows::total(dy));
    const T *px = rows::of<T>(x).data(), *pd = rows::of<T>(dy).data();
    T* to = rows::of_mutable<T>(dx).data();
    auto* states = all.data();
    kernels::fold(r.plan, px, reducers::NonZero{},
                  [=](std::int64_t i, const auto& state, std::int64_t) { states[i] = state; });
    kernels::over_results(r.plan, [=](std::int64_t at, std::int64_t result, std::int64_t step,
                                      std::int64_t n, std::int64_t) {
      kernels::each_value(n, step, [=](std::int64_t i, std::int64_t k) {
        const auto& s = states[result + k];
        const T v = px[at + i];
        const bool lone = v == 0 ? s.zeros == 1 : s.zeros == 0;  // no zero among the others
        const double others = lone ? (v == 0 ? s.product : s.product / v) : 0;
        to[at + i] = static_cast<T>(kernels::selected<double>(pd[result + k], others));
      });
    });
  });
  return dx;
}

template <class Fold>
Tensor truth(std::string_view op, const Tensor& x, const Axes& axes, bool keepdims) {
  if (x.dtype() != DType::boolean) {
    fail<TypeError>(op, "got {}; expected bool. Use a comparison such as not_equal(x, 0)",
                    x.describe());
  }
  const Reduced r(op, x, axes, keepdims, 0);
  Tensor y = r.make(DType::boolean);
  if (x.is_meta()) return y;
  bool* to = rows::of_mutable<bool>(y).data();
  kernels::fold(r.plan, rows::of<bool>(x).data(), Fold{},
                [=](std::int64_t i, auto v, std::int64_t) { to[i] = v != 0; });
  return y;
}

}  // namespace

Tensor sum(const Tensor& x, const Axes& axes, bool keepdims) {
  check::numeric("sum", x);
  const Reduced r("sum", x, axes, keepdims, 0);
  const Tensor y = r.make(x.dtype());
  if (x.is_meta()) return y;
  dispatch(x.dtype(), [&]<class T>() {
    if constexpr (!std::is_same_v<T, bool>) add_up<T>(r, x, y, false);
  });
  return record("sum", y, {x}, [r](const Tensor& dy, Grads& grads) {
    grads.add(0, broadcast_back(r, dy, false));
  });
}

Tensor mean(const Tensor& x, const Axes& axes, bool keepdims) {
  check::real("mean", x);
  const Reduced r("mean", x, axes, keepdims, 1);
  const Tensor y = r.make(x.dtype());
  if (x.is_meta()) return y;
  dispatch_real("mean", x.dtype(), [&]<class T>() { add_up<T>(r, x, y, true); });
  return record("mean", y, {x},
                [r](const Tensor& dy, Grads& grads) { grads.add(0, broadcast_back(r, dy, true)); });
}

Tensor product(const Tensor& x, const Axes& axes, bool keepdims) {
  check::numeric("product", x);
  const Reduced r("product", x, axes, keepdims, 0);
  const Tensor y = r.make(x.dtype());
  if (x.is_meta()) return y;
  dispatch(x.dtype(), [&]<class T>() {
    if constexpr (!std::is_same_v<T, bool>) {
      T* to = rows::of_mutable<T>(y).data();
      kernels::fold(r.plan, rows::of<T>(x).data(), reducers::Product<T>{},
                    [=](std::int64_t i, auto v, std::int64_t) { to[i] = static_cast<T>(v); });
    }
  });
  return record("product", y, {x}, [r, x = Saved(x)](const Tensor& dy, Grads& grads) {
    grads.add(0, product_backward(r, x.get(), dy));
  });
}

Tensor any_true(const Tensor& x, const Axes& axes, bool keepdims) {
  return truth<reducers::Any>("any_true", x, axes, keepdims);
}
Tensor all_true(const Tensor& x, const Axes& axes, bool keepdims) {
  return truth<reducers::All>("all_true", x, axes, keepdims);
}

Tensor count_valid(const Tensor& x, const Axes& axes, bool keepdims) {
  const Reduced r("count_valid", x, axes, keepdims, 0);
  Tensor y = r.make(DType::i64);
  if (x.is_meta()) return y;
  auto to = rows::of_mutable<std::int64_t>(y).begin();
  for (std::int64_t g = 0; g < r.plan.groups; ++g) {
    to = std::fill_n(to, r.plan.kept(), r.plan.terms(g));
  }
  return y;
}

}  // namespace maskgrad
