#include <maskgrad/autograd/ops/reduce/softmax.hpp>

#include <algorithm>
#include <cmath>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/reduce/spread.hpp>
#include <maskgrad/autograd/plans/lines.hpp>
#include <maskgrad/core/kernels/selected.hpp>
#include <maskgrad/core/kernels/simd/lines.hpp>

namespace maskgrad {
namespace {

struct Softmax {
  template <class T>
  static void forward(const T* x, T* y, std::int64_t n) {
    const auto& line = kernels::simd::lines<T>();
    line.exp_scaled(x, line.greatest(x, n), T(1), false, y, n);
    const T scale = static_cast<T>(1 / line.sum(y, n));
    for (std::int64_t i = 0; i < n; ++i) y[i] *= scale;
  }
  template <class T>
  static void backward(const T* y, const T* dy, T* dx, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) dx[i] = kernels::selected(dy[i], y[i]);
    const T s = static_cast<T>(kernels::simd::lines<T>().sum(dx, n));
    for (std::int64_t i = 0; i < n; ++i) dx[i] = kernels::selected(y[i], dy[i] - s);
  }
  /// The same as operations; `sums` gives each value the sum of its line.
  template <class Sums>
  static Tensor gradient(const Tensor& y, const Tensor& dy, Sums&& sums) {
    return y * (dy - sums(dy * y));
  }
};

struct LogSoftmax {
  template <class T>
  static void forward(const T* x, T* y, std::int64_t n) {
    const auto& line = kernels::simd::lines<T>();
    const T m = line.greatest(x, n);
    const T log_sum = static_cast<T>(std::log(line.sum_exp(x, m, n)));
    for (std::int64_t i = 0; i < n; ++i) y[i] = (x[i] - m) - log_sum;
  }
  template <class T>
  static void backward(const T* y, const T* dy, T* dx, std::int64_t n) {
    const auto& line = kernels::simd::lines<T>();
    const T sum = static_cast<T>(line.sum(dy, n));
    if (sum == 0) {
      std::copy_n(dy, n, dx);
      return;
    }
    line.exp_scaled(y, T(0), -sum, false, dx, n);
    for (std::int64_t i = 0; i < n; ++i) dx[i] += dy[i];
  }
  template <class Sums>
  static Tensor gradient(const Tensor& y, const Tensor& dy, Sums&& sums) {
    return dy - exp(y) * sums(dy);
  }
};

template <class Op>
Tensor along(std::string_view op, const Tensor& x, int axis) {
  check::real(op, x);
  axis = check_line_axis(op, x, axis);
  if (x.is_meta()) return rows::make_meta(x.shape(), x.dtype(), x.mask());
  const Reduced lines = lines_along(op, x, axis);
  const Tensor y = dispatch_real(op, x.dtype(), [&]<class T>() {
    return map_lines<T, 1>(lines, x, {rows::of<T>(x).data()},
                           [](const auto& in, T* to, auto n) { Op::forward(in[0], to, n); });
  });
  return record(op, y, {x}, [lines, y](const Tensor& dy, auto& grads) {
    if constexpr (is_adjoint<decltype(grads)>) {
      const auto sums = [&](const Tensor& t) {
        return reduce::spread(lines, reduce::sums(lines, t));
      };
      grads.add(0, Op::gradient(grads.result(y), dy, sums));
    } else {
      grads.add(0, dispatch_real("backward", dy.dtype(), [&]<class T>() {
                  return map_lines<T, 2>(
                      lines, y, {rows::of<T>(y).data(), rows::of<T>(dy).data()},
                      [](const auto& in, T* to, auto n) { Op::backward(in[0], in[1], to, n); });
                }));
    }
  });
}

}  // namespace

Tensor softmax(const Tensor& x, int axis) {
  return along<Softmax>("softmax", x, axis);
}
Tensor softmax(const Tensor& x) {
  return softmax(x, -1);
}
Tensor log_softmax(const Tensor& x, int axis) {
  return along<LogSoftmax>("log_softmax", x, axis);
}
Tensor log_softmax(const Tensor& x) {
  return log_softmax(x, -1);
}

}  // namespace maskgrad
