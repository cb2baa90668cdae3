#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/core/kernels/add_to.hpp>
#include <maskgrad/core/kernels/simd/at_level.hpp>
#include <maskgrad/core/kernels/simd/lines.hpp>

// Primitive: one number for each row of a target and a prediction, read once forward and once
// backward. A loss gives a kernel and, as `composed`, the same made of operations: that is used
// where the two are not alike, and for second derivatives.
namespace maskgrad::row_loss {

/// Values of a row that are worked on at once, in a buffer on the stack.
inline constexpr std::int64_t block = 512;

/// Whether both are whole rows of the same places.
bool fit(const Tensor& t, const Tensor& p);

/// The sum over a row of what `values(t, p, y, n)` writes for n of its values.
template <extend::Real T, class Values>
double sum_of(const Values& values, const T* t, const T* p, std::int64_t n) {
  std::array<T, block> y;
  double sum = 0;
  for (std::int64_t at = 0; at < n; at += block) {
    const auto m = std::min(block, n - at);
    values(t + at, p + at, y.data(), m);
    sum += kernels::simd::lines<T>().sum(y.data(), m);
  }
  return sum;
}

/// The kernel of a mean over the row of a function of two values: `values(t, p, y, n)`, and what of
/// a number d goes to each of the two, `to_t(d, t, p, to, n)` and `to_p`.
template <class Values, class ToT, class ToP>
struct Mean {
  Values values;
  ToT to_t;
  ToP to_p;

  template <extend::Real T>
  T value(const T* t, const T* p, std::int64_t n) const {
    const double sum = sum_of(values, t, p, n), count = static_cast<double>(n);
    if constexpr (std::is_same_v<T, double>) {
      if (!std::isfinite(sum)) {  // it may be beyond f64 where the mean is not
        constexpr double scale = 0x1p-64;
        const auto scaled = [this](const T* a, const T* b, T* y, std::int64_t m) {
          values(a, b, y, m);
          for (std::int64_t i = 0; i < m; ++i) y[i] *= scale;
        };
        return sum_of(scaled, t, p, n) / count / scale;
      }
    }
    return static_cast<T>(sum / count);
  }

  /// What is the same for the whole row: here what its values share of d.
  template <extend::Real T>
  T row(T d, const T*, const T*, std::int64_t n) const {
    return d * (T(1) / static_cast<T>(n));
  }
  template <extend::Real T>
  void gradients(T share, const T* t, const T* p, std::int64_t n, T* dt, T* dp) const {
    if (share == 0) {  // nothing is read for it
      if (dt) std::fill_n(dt, n, T(0));
      if (dp) std::fill_n(dp, n, T(0));
      return;
    }
    if (dt) to_t(share, t, p, dt, n);
    if (dp) to_p(share, t, p, dp, n);
  }
};
template <class Values, class ToT, class ToP>
Mean(Values, ToT, ToP) -> Mean<Values, ToT, ToP>;

/// The same of a function of the error p - t: `values(e, y, n)` and its slopes, `slopes(e, s, n)`;
/// y and s may be e.
template <class Values, class Slopes>
auto mean_of_error(Values values, Slopes slopes) {
  const auto share = [slopes](auto d, const auto* t, const auto* p, auto* to, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) to[i] = p[i] - t[i];
    slopes(to, to, n);
    for (std::int64_t i = 0; i < n; ++i) to[i] *= d;
  };
  return Mean{[values](const auto* t, const auto* p, auto* y, std::int64_t n) {
                for (std::int64_t i = 0; i < n; ++i) y[i] = p[i] - t[i];
                values(y, y, n);
              },
              [share](auto d, const auto* t, const auto* p, auto* to, std::int64_t n) {
                share(-d, t, p, to, n);
              },
              share};
}

/// Calls f(row) for each of `rows` rows of `width` values, on threads.
template <class F>
void each_row(std::int64_t rows, std::int64_t width, const F& f) {
  kernels::over_parts(rows * width, [&](std::int64_t from, std::int64_t to) {
    kernels::simd::at_level([&] {
      for (auto r = (from + width - 1) / width; r * width < to; ++r) f(r);
    });
  });
}

/// Where a row's gradient goes: to its place at once, or through a buffer where something is there.
template <extend::Real T>
struct Goes {
  T* to = nullptr;
  bool fresh = true;
  std::array<T, block> buffer;

  Goes(const Grads::Target<T>& target, std::int64_t at)
      : to(target.values ? target.values + at : nullptr), fresh(target.fresh) {}
  T* place() { return fresh ? to : to ? buffer.data() : nullptr; }
  void put(std::int64_t n) {
    if (!to) return;
    for (std::int64_t i = 0; !fresh && i < n; ++i) to[i] += buffer[static_cast<std::size_t>(i)];
    to += n;
  }
};

template <extend::Real T, class Kernel>
void backward(const Kernel& kernel, const Tensor& t, const Tensor& p, const Tensor& dy,
              Grads& grads) {
  const auto target = [&grads](int i) {
    return grads.wants(i) ? grads.target<T>(i) : Grads::Target<T>{nullptr, true};
  };
  const Grads::Target<T> dt = target(0), dp = target(1);
  const std::int64_t width = t.shape().back();
  const T *pt = rows::of<T>(t).data(), *pp = rows::of<T>(p).data(), *d = rows::of<T>(dy).data();
  each_row(rows::total(dy), width, [&](std::int64_t r) {
    Goes<T> to_t(dt, r * width), to_p(dp, r * width);
    const T *own_t = pt + r * width, *own_p = pp + r * width;
    if (d[r] == 0) {  // not read: NaN may stand there
      if (to_t.to && to_t.fresh) std::fill_n(to_t.to, width, T(0));
      if (to_p.to && to_p.fresh) std::fill_n(to_p.to, width, T(0));
      return;
    }
    const auto row = kernel.row(d[r], own_t, own_p, width);
    for (std::int64_t at = 0; at < width; at += block) {
      const auto n = std::min(block, width - at);
      kernel.gradients(row, own_t + at, own_p + at, n, to_t.place(), to_p.place());
      to_t.put(n);
      to_p.put(n);
    }
  });
}

/// One number for each row of the target t and the prediction p, whose last axis is one row: by a
/// kernel as Mean is one. `composed(t, p)` gives the same by operations.
/// Mask:     of positions, which both have; else it is composed. Gradient: of both.
template <class Kernel, class Composed>
Tensor of_rows(std::string_view name, const Tensor& t, const Tensor& p, const Kernel& kernel,
               const Composed& composed) {
  if (!fit(t, p)) return composed(t, p);
  const std::int64_t width = t.shape().back();
  const Tensor y = rows::make(t.shape().sub(0, t.rank() - 1), t.dtype(), t.mask());
  dispatch_real(name, t.dtype(), [&]<class T>() {
    const T *pt = rows::of<T>(t).data(), *pp = rows::of<T>(p).data();
    T* to = rows::of_mutable<T>(y).data();
    each_row(rows::total(y), width,
             [&](std::int64_t r) { to[r] = kernel.value(pt + r * width, pp + r * width, width); });
  });
  return record(
      name, y, {t, p},
      [kernel, composed, name, t = Saved(t), p = Saved(p)](const Tensor& dy, auto& grads) {
        if constexpr (is_adjoint<decltype(grads)>) {
          grads.through(composed(grads.input(0, t), grads.input(1, p)));
        } else {
          dispatch_real(name, dy.dtype(),
                        [&]<class T>() { backward<T>(kernel, t.get(), p.get(), dy, grads); });
        }
      });
}

}  // namespace maskgrad::row_loss
