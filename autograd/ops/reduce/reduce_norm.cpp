#include <cmath>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/where.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/autograd/ops/reduce/reducers.hpp>
#include <maskgrad/autograd/ops/reduce/spread.hpp>
#include <maskgrad/autograd/plans/reduced.hpp>
#include <maskgrad/core/kernels/selected.hpp>

namespace maskgrad {
namespace {

/// A power of two by which values of this size can be squared and added, without a loss at either
/// end of what f64 can hold.
double scale_of(double greatest) {
  if (greatest > 0x1p500) return 0x1p-600;
  return greatest < 0x1p-450 ? 0x1p600 : 1;
}

/// Each norm, times its scale.
struct Scaled {
  Pooled<double> norm, scale;
};

template <class T>
Scaled scaled_norms(const Reduced& r, const T* x, std::int64_t results) {
  Scaled s{Pooled<double>(results), Pooled<double>(results)};
  double *norm = s.norm.data(), *scale = s.scale.data();
  kernels::fold(r.plan, x, reducers::Greatest<T>{},
                [=](std::int64_t i, double v, std::int64_t) { scale[i] = scale_of(v); });
  kernels::fold(r.plan, x, reducers::ScaledSquares<T>{scale},
                [=](std::int64_t i, double v, std::int64_t) { norm[i] = std::sqrt(v); });
  return s;
}

/// dx = dy x / y, by the scaled norm, which has all its digits; 0 where that is.
Tensor norm_backward(const Reduced& r, const Tensor& x, const Scaled& s, const Tensor& dy) {
  Tensor dx = r.make_gradient(dy.dtype());
  dispatch_real("backward", dy.dtype(), [&]<class T>() {
    const T *px = rows::of<T>(x).data(), *pd = rows::of<T>(dy).data();
    T* to = rows::of_mutable<T>(dx).data();
    const double *norm = s.norm.data(), *scale = s.scale.data();
    kernels::over_results(r.plan, [=](std::int64_t at, std::int64_t result, std::int64_t step,
                                      std::int64_t n, std::int64_t) {
      kernels::each_value(n, step, [=](std::int64_t i, std::int64_t j) {
        const auto k = result + j;
        const double share = norm[k] == 0 ? 0 : px[at + i] * scale[k] / norm[k];
        to[at + i] = static_cast<T>(kernels::selected<double>(pd[k], share));
      });
    });
  });
  return dx;
}

}  // namespace

Tensor norm(const Tensor& x, const Axes& axes, bool keepdims) {
  check::real("norm", x);
  const Reduced r("norm", x, axes, keepdims, 0);
  const Tensor y = r.make(x.dtype());
  if (x.is_meta()) return y;
  Scaled scaled;
  dispatch_real("norm", x.dtype(), [&]<class T>() {
    scaled = scaled_norms(r, rows::of<T>(x).data(), rows::total(y));
    T* to = rows::of_mutable<T>(y).data();
    for (std::int64_t i = 0; i < rows::total(y); ++i) {
      to[i] = static_cast<T>(scaled.norm[i] / scaled.scale[i]);
    }
  });
  return record("norm", y, {x}, [r, y, scaled, x = Saved(x)](const Tensor& dy, auto& grads) {
    if constexpr (is_adjoint<decltype(grads)>) {
      const Tensor v = grads.result(y);
      const Tensor over = where(equal(v, 0), zeros_like(y), dy / v);
      grads.add(0, grads.input(0, x) * reduce::spread(r, over));
    } else {
      grads.add(0, norm_backward(r, x.get(), scaled, dy));
    }
  });
}

}  // namespace maskgrad
