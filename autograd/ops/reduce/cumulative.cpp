#include <maskgrad/autograd/ops/reduce/cumulative.hpp>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/reduce/reducers.hpp>
#include <maskgrad/autograd/plans/lines.hpp>
#include <maskgrad/core/kernels/selected.hpp>

namespace maskgrad {
namespace {

struct RunningSum {
  template <class T>
  static void forward(const T* x, T* y, std::int64_t n) {
    typename reducers::Sum<T>::State s = 0;
    for (std::int64_t i = 0; i < n; ++i) y[i] = static_cast<T>(s += x[i]);
  }
  template <class T>
  static void backward(const T*, const T* dy, T* dx, std::int64_t n) {
    double s = 0;
    for (std::int64_t i = n - 1; i >= 0; --i) dx[i] = static_cast<T>(s += dy[i]);
  }
};

struct RunningProduct {
  template <class T>
  static void forward(const T* x, T* y, std::int64_t n) {
    typename reducers::Product<T>::State p = 1;
    for (std::int64_t i = 0; i < n; ++i) y[i] = static_cast<T>(p *= x[i]);
  }
  /// With z the first zero: before it only steps below z count; at it, the products of all but
  /// x[z]; behind it, every product holds x[z] = 0.
  template <class T>
  static void backward(const T* x, const T* dy, T* dx, std::int64_t n) {
    using kernels::selected;
    const std::int64_t z = std::find(x, x + n, T(0)) - x;
    Pooled<double> before(z + 1);  // of i: x[0] ... x[i - 1]
    before[0] = 1;
    for (std::int64_t i = 0; i < z; ++i) before[i + 1] = before[i] * x[i];
    double sum = 0;  // of dy[t] x[i + 1] ... x[t], t >= i
    for (std::int64_t i = n - 1; i > z; --i) {
      sum = selected<double>(sum + dy[i], x[i]);
      dx[i] = 0;
    }
    if (z < n) dx[z] = static_cast<T>(selected(before[z], sum + dy[z]));
    sum = 0;
    for (std::int64_t i = z - 1; i >= 0; --i) {
      sum += dy[i];
      dx[i] = static_cast<T>(selected(before[i], sum));
      sum = selected<double>(sum, x[i]);
    }
  }
};

template <class Op, class T>
Tensor run(const Reduced& lines, const Tensor& x) {
  return map_lines<T, 1>(lines, x, {rows::of<T>(x).data()},
                         [](const auto& in, T* to, auto n) { Op::forward(in[0], to, n); });
}

/// `x` is read where Op is a product.
template <class Op>
Tensor run_back(const Reduced& lines, const Tensor& x, const Tensor& dy) {
  return dispatch_real("backward", dy.dtype(), [&]<class T>() {
    return map_lines<T, 2>(
        lines, dy, {rows::of<T>(x).data(), rows::of<T>(dy).data()},
        [](const auto& in, T* to, auto n) { Op::backward(in[0], in[1], to, n); });
  });
}

template <class Op>
Tensor running(std::string_view op, const Reduced& lines, const Tensor& x) {
  if (x.dtype() == DType::i64) return run<Op, std::int64_t>(lines, x);
  return dispatch_real(op, x.dtype(), [&]<class T>() { return run<Op, T>(lines, x); });
}

}  // namespace

Tensor cumsum(const Tensor& x, int axis) {
  check::numeric("cumsum", x);
  axis = check_line_axis("cumsum", x, axis);
  if (x.is_meta()) return rows::make_meta(x.shape(), x.dtype(), x.mask());
  const Reduced lines = lines_along("cumsum", x, axis);
  const Tensor y = running<RunningSum>("cumsum", lines, x);
  return record("cumsum", y, {x}, [lines](const Tensor& dy, Grads& grads) {
    grads.add(0, run_back<RunningSum>(lines, dy, dy));
  });
}

Tensor cumprod(const Tensor& x, int axis) {
  check::numeric("cumprod", x);
  axis = check_line_axis("cumprod", x, axis);
  if (x.is_meta()) return rows::make_meta(x.shape(), x.dtype(), x.mask());
  const Reduced lines = lines_along("cumprod", x, axis);
  const Tensor y = running<RunningProduct>("cumprod", lines, x);
  return record("cumprod", y, {x}, [lines, x = Saved(x)](const Tensor& dy, Grads& grads) {
    grads.add(0, run_back<RunningProduct>(lines, x.get(), dy));
  });
}

}  // namespace maskgrad
