#include <maskgrad/autograd/ops/reduce/cumulative.hpp>

#include <mutex>
#include <numeric>
#include <vector>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/reduce/reducers.hpp>
#include <maskgrad/autograd/ops/shape/concatenate.hpp>
#include <maskgrad/autograd/ops/shape/gather.hpp>
#include <maskgrad/autograd/ops/shape/rearrange.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>
#include <maskgrad/autograd/ops/shape/slice.hpp>
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

/// The stored places of each line's values, in order.
std::vector<Index> places_of_lines(const Reduced& lines, const Tensor& x) {
  const Tensor places = rows::make(x.shape(), DType::i64, x.mask());
  auto* place = rows::of_mutable<std::int64_t>(places).data();
  std::iota(place, place + rows::total(x), std::int64_t{0});
  std::vector<Index> all;
  std::mutex mutex;
  map_lines<std::int64_t, 1>(lines, places, {place},
                             [&](const auto& in, std::int64_t*, std::int64_t n) {
                               Index line(n);
                               std::copy_n(in[0], n, line.data());
                               const std::lock_guard lock(mutex);
                               all.push_back(line);
                             });
  return all;
}

/// The running products made of other operations: of 1, 2, 4 ... values each.
Tensor products_by_doubling(const Reduced& lines, const Tensor& x) {
  const auto all = places_of_lines(lines, x);
  const auto count = static_cast<std::int64_t>(all.size()), total = rows::total(x);
  std::int64_t most = 0;
  for (const auto& line : all) most = std::max(most, line.size());
  const Tensor ids = rows::make({count, most}, DType::i64), back = rows::make({total}, DType::i64);
  auto* from = rows::of_mutable<std::int64_t>(ids).data();
  auto* to = rows::of_mutable<std::int64_t>(back).data();
  std::fill_n(from, count * most, total);  // a 1 behind all values
  for (std::int64_t l = 0; l < count; ++l) {
    const auto& line = all[static_cast<std::size_t>(l)];
    for (std::int64_t i = 0; i < line.size(); ++i) {
      from[l * most + i] = line[i];
      to[line[i]] = l * most + i;
    }
  }
  const Tensor values = rearrange::regroup("cumprod", x, {total}, Mask());
  Tensor p = take(concatenate({values, full({1}, 1, x.dtype())}, 0), ids);
  for (std::int64_t n = 1; n < most; n *= 2) {
    p = concatenate({slice(p, 1, 0, n), slice(p, 1, n, most) * slice(p, 1, 0, most - n)}, 1);
  }
  const Tensor flat = take(reshape(p, {count * most}), back);
  return rearrange::regroup("cumprod", flat, x.shape(), x.mask());
}

}  // namespace

Tensor cumsum(const Tensor& x, int axis) {
  check::numeric("cumsum", x);
  axis = check_line_axis("cumsum", x, axis);
  if (x.is_meta()) return rows::make_meta(x.shape(), x.dtype(), x.mask());
  const Reduced lines = lines_along("cumsum", x, axis);
  const Tensor y = running<RunningSum>("cumsum", lines, x);
  return record_linear(
      "cumsum", y, {x},
      [lines](const Tensor& g) { return running<RunningSum>("cumsum", lines, g); },
      [lines](const Tensor& dy, Grads& grads) {
        grads.add(0, run_back<RunningSum>(lines, dy, dy));
      });
}

Tensor cumprod(const Tensor& x, int axis) {
  check::numeric("cumprod", x);
  axis = check_line_axis("cumprod", x, axis);
  if (x.is_meta()) return rows::make_meta(x.shape(), x.dtype(), x.mask());
  const Reduced lines = lines_along("cumprod", x, axis);
  const Tensor y = running<RunningProduct>("cumprod", lines, x);
  return record("cumprod", y, {x}, [lines, x = Saved(x)](const Tensor& dy, auto& grads) {
    if constexpr (is_adjoint<decltype(grads)>) {
      grads.through(products_by_doubling(lines, grads.input(0, x)));
    } else {
      grads.add(0, run_back<RunningProduct>(lines, x.get(), dy));
    }
  });
}

}  // namespace maskgrad
