#include <cmath>
#include <limits>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/elementwise/where.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/autograd/ops/reduce/reducers.hpp>
#include <maskgrad/autograd/ops/reduce/spread.hpp>
#include <maskgrad/autograd/plans/reduced.hpp>
#include <maskgrad/core/kernels/selected.hpp>
#include <maskgrad/core/kernels/simd/arrays.hpp>

namespace maskgrad {
namespace {

/// Means in f64, one for each result.
template <class T>
Pooled<double> means(const Reduced& r, const T* x, std::int64_t results) {
  Pooled<double> mean(results);
  double* to = mean.data();
  kernels::fold(r.plan, x, reducers::Sum<T>{}, [=](std::int64_t i, double total, std::int64_t n) {
    to[i] = total / static_cast<double>(n);
  });
  if constexpr (std::is_same_v<T, double>) {
    if (kernels::all_finite(to, results)) return mean;
    kernels::fold(r.plan, x, reducers::ScaledSum{},
                  [=](std::int64_t i, double total, std::int64_t n) {
                    if (!std::isfinite(to[i]))
                      to[i] = total / static_cast<double>(n) / reducers::ScaledSum::scale;
                  });
  }
  return mean;
}

/// Those of the results, all about `mean`, whose squares f64 cannot hold with all their digits.
void far_spread(const Reduced& r, const double* x, const double* mean, double* y,
                std::int64_t results, int ddof, bool root) {
  constexpr double least = 0x1p-900;  // of a sum of squares
  Pooled<double> scale(results);
  bool any = false;
  for (std::int64_t i = 0; i < results; ++i) {
    const double squares = root ? y[i] * y[i] : y[i];
    scale[i] = !std::isfinite(squares) ? 0x1p-600 : squares < least ? 0x1p600 : 1;
    any = any || scale[i] != 1;
  }
  if (!any) return;
  const double* by = scale.data();
  kernels::fold(r.plan, x, reducers::FarSquares{mean, by},
                [=](std::int64_t i, double squares, std::int64_t n) {
                  const double v = squares / static_cast<double>(n - ddof);
                  if (by[i] != 1) y[i] = root ? std::sqrt(v) / by[i] : v / by[i] / by[i];
                });
}

/// The slope where a difference or 1 / y overflows on the way.
double far_slope(double x, double mean, double y, double over, bool root) {
  const double quarter = x / 4 - mean / 4;
  return root ? quarter / (y / 4) / over : quarter / over * 8;
}

/// dx = dy 2 (x - mean) / (count - ddof); through the root y: dy (x - mean) / ((count - ddof) y).
Tensor spread_backward(const Reduced& r, const Tensor& x, const Tensor& y, const Tensor& dy,
                       int ddof, bool root) {
  Tensor dx = r.make_gradient(dy.dtype());
  dispatch_real("backward", dy.dtype(), [&]<class T>() {
    const T *px = rows::of<T>(x).data(), *py = rows::of<T>(y).data(), *pd = rows::of<T>(dy).data();
    T* to = rows::of_mutable<T>(dx).data();
    const auto mean = means(r, px, rows::total(y));
    const double* center = mean.data();
    kernels::over_results(r.plan, [=](std::int64_t at, std::int64_t result, std::int64_t step,
                                      std::int64_t n, std::int64_t terms) {
      const double over = static_cast<double>(terms - ddof);
      kernels::each_value(n, step, [=](std::int64_t i, std::int64_t j) {
        const auto k = result + j;
        const double scale = root ? (py[k] == 0 ? 0 : 1 / py[k]) : 2;
        double share = pd[k] * scale * (px[at + i] - center[k]) / over;
        if constexpr (std::is_same_v<T, double>) {
          if (!std::isfinite(share))
            share = pd[k] * far_slope(px[at + i], center[k], py[k], over, root);
        }
        to[at + i] = static_cast<T>(kernels::selected_by<double>(pd[k], share));
      });
    });
  });
  return dx;
}

/// a / b, and 0 where b is.
Tensor over_unless_0(const Tensor& a, const Tensor& b) {
  return where(equal(b, 0), zeros_like(a), a / b);
}

Tensor about_mean(std::string_view op, const Tensor& x, const Axes& axes, bool keepdims, int ddof,
                  bool root) {
  check::real(op, x);
  if (ddof < 0) fail<OptionError>(op, "ddof is {}; expected 0 or more", ddof);
  const Reduced r(op, x, axes, keepdims, std::int64_t{ddof} + 1);
  const Tensor y = r.make(x.dtype());
  if (x.is_meta()) return y;
  dispatch_real(op, x.dtype(), [&]<class T>() {
    const T* from = rows::of<T>(x).data();
    T* to = rows::of_mutable<T>(y).data();
    const auto mean = means(r, from, rows::total(y));
    kernels::fold(r.plan, from, reducers::Squares<T>{mean.data()},
                  [=](std::int64_t i, double squares, std::int64_t n) {
                    const double v = squares / static_cast<double>(n - ddof);
                    to[i] = static_cast<T>(root ? std::sqrt(v) : v);
                  });
    if constexpr (std::is_same_v<T, double>) {
      far_spread(r, from, mean.data(), to, rows::total(y), ddof, root);
    }
  });
  return record(op, y, {x}, [=, x = Saved(x)](const Tensor& dy, auto& grads) {
    if constexpr (is_adjoint<decltype(grads)>) {
      const Tensor v = grads.input(0, x), all = reduce::sums(r, ones_like(v));
      const Tensor centered = v - reduce::spread(r, reduce::sums(r, v, true));
      const Tensor slope = root ? over_unless_0(dy, grads.result(y)) : 2 * dy;
      grads.add(0, centered * reduce::spread(r, slope / (all - ddof)));
    } else {
      grads.add(0, spread_backward(r, x.get(), y, dy, ddof, root));
    }
  });
}

/// e = exp(x - y), each value with its result; of -infinity 0, also where there is nothing else.
template <class T>
void exp_less(const Reduced& r, const T* x, const T* y, T* e) {
  kernels::over_results(r.plan, [=](std::int64_t at, std::int64_t result, std::int64_t step,
                                    std::int64_t n, std::int64_t) {
    kernels::each_value(n, step, [=](std::int64_t i, std::int64_t k) {
      constexpr T nothing = -std::numeric_limits<T>::infinity();
      const T less = x[at + i] - y[result + k];
      e[at + i] = x[at + i] == nothing ? nothing : less;
    });
    kernels::simd::exp(e + at, e + at, n);
  });
}

template <class T>
void logsumexp_into(const Reduced& r, const Tensor& x, const Tensor& y) {
  const T* from = rows::of<T>(x).data();
  T* to = rows::of_mutable<T>(y).data();
  kernels::fold(r.plan, from, reducers::Extreme<T, 1>{}, [=](std::int64_t i, T v, std::int64_t) {
    to[i] = std::isinf(v) ? T(0) : v;  // infinities stay as they are
  });
  Pooled<T> e(rows::total(x));
  exp_less(r, from, static_cast<const T*>(to), e.data());
  kernels::fold(r.plan, static_cast<const T*>(e.data()), reducers::Sum<T>{},
                [=](std::int64_t i, double total, std::int64_t) {
                  to[i] = static_cast<T>(to[i] + std::log(total));
                });
}

Tensor logsumexp_backward(const Reduced& r, const Tensor& x, const Tensor& y, const Tensor& dy) {
  Tensor dx = r.make_gradient(dy.dtype());
  dispatch_real("backward", dy.dtype(), [&]<class T>() {
    const T* pd = rows::of<T>(dy).data();
    T* to = rows::of_mutable<T>(dx).data();
    exp_less(r, rows::of<T>(x).data(), rows::of<T>(y).data(), to);
    kernels::over_results(r.plan, [=](std::int64_t at, std::int64_t result, std::int64_t step,
                                      std::int64_t n, std::int64_t) {
      kernels::each_value(n, step, [=](std::int64_t i, std::int64_t k) {
        to[at + i] = kernels::selected(to[at + i], pd[result + k]);
      });
    });
  });
  return dx;
}

}  // namespace

Tensor variance(const Tensor& x, const Axes& axes, bool keepdims, int ddof) {
  return about_mean("variance", x, axes, keepdims, ddof, false);
}
Tensor std_deviation(const Tensor& x, const Axes& axes, bool keepdims, int ddof) {
  return about_mean("std_deviation", x, axes, keepdims, ddof, true);
}

Tensor logsumexp(const Tensor& x, const Axes& axes, bool keepdims) {
  check::real("logsumexp", x);
  const Reduced r("logsumexp", x, axes, keepdims, 1);
  const Tensor y = r.make(x.dtype());
  if (x.is_meta()) return y;
  dispatch_real("logsumexp", x.dtype(), [&]<class T>() { logsumexp_into<T>(r, x, y); });
  return record("logsumexp", y, {x}, [r, y, x = Saved(x)](const Tensor& dy, auto& grads) {
    if constexpr (is_adjoint<decltype(grads)>) {
      const Tensor v = grads.input(0, x);
      const Tensor nothing = scalar(-std::numeric_limits<double>::infinity(), v.dtype());
      const Tensor less = v - reduce::spread(r, grads.result(y));
      const Tensor there = where(equal(v, nothing), nothing, less);
      grads.add(0, reduce::spread(r, dy) * exp(there));
    } else {
      grads.add(0, logsumexp_backward(r, x.get(), y, dy));
    }
  });
}

}  // namespace maskgrad
