

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/autograd/ops/reduce/reducers.hpp>
#include <maskgrad/autograd/ops/reduce/spread.hpp>
#include <maskgrad/autograd/plans/reduced.hpp>

namespace maskgrad {
namespace {

/// Calls f.operator()<T>() for the types that have an order.
template <class F>
void dispatch_numeric(DType t, F&& f) {
  if (t == DType::i64) {
    f.template operator()<std::int64_t>();
  } else {
    dispatch_real("reduce", t, f);
  }
}

Tensor shared_among_ties(const Reduced& r, const Tensor& x, const Tensor& y, const Tensor& dy) {
  Tensor dx = r.make_gradient(dy.dtype());
  dispatch_real("backward", dy.dtype(), [&]<class T>() {
    const T *px = rows::of<T>(x).data(), *py = rows::of<T>(y).data();
    T* to = rows::of_mutable<T>(dx).data();
    Pooled<T> parts(rows::total(dy));  // of dy, for each that is greatest
    T* part = parts.data();
    const T* pd = rows::of<T>(dy).data();
    kernels::fold(r.plan, px, reducers::Ties<T>{py}, [=](std::int64_t i, auto ties, std::int64_t) {
      part[i] = ties == 0 ? T(0) : pd[i] / static_cast<T>(ties);
    });
    kernels::over_results(r.plan, [=](std::int64_t at, std::int64_t result, std::int64_t step,
                                      std::int64_t n, std::int64_t) {
      kernels::each_value(n, step, [=](std::int64_t i, std::int64_t k) {
        to[at + i] = px[at + i] == py[result + k] ? part[result + k] : T(0);
      });
    });
  });
  return dx;
}

/// Between kinks an extreme is the mean of those that tie: what it is of `g` in the place of x.
Tensor mean_of_ties(const Reduced& r, const Tensor& x, const Tensor& y, const Tensor& g) {
  const Tensor shares = shared_among_ties(r, x, y, ones_like(y));
  dispatch_real("backward", y.dtype(), [&]<class T>() {
    const T* values = rows::of<T>(g).data();
    T* share = rows::of_mutable<T>(shares).data();
    for (std::int64_t i = 0; i < rows::total(g); ++i) share[i] *= values[i];
  });
  return reduce::sums(r, shares);
}

template <int sign>
Tensor extreme(std::string_view op, const Tensor& x, const Axes& axes, bool keepdims) {
  check::numeric(op, x);
  const Reduced r(op, x, axes, keepdims, 1);
  const Tensor y = r.make(x.dtype());
  if (x.is_meta()) return y;
  dispatch_numeric(x.dtype(), [&]<class T>() {
    T* to = rows::of_mutable<T>(y).data();
    kernels::fold(r.plan, rows::of<T>(x).data(), reducers::Extreme<T, sign>{},
                  [=](std::int64_t i, T v, std::int64_t) { to[i] = v; });
  });
  return record_linear(
      op, y, {x}, [r, y, x = Saved(x)](const Tensor& g) { return mean_of_ties(r, x.get(), y, g); },
      [r, y, x = Saved(x)](const Tensor& dy, Grads& grads) {
        grads.add(0, shared_among_ties(r, x.get(), y, dy));
      });
}

/// The index over the reduced axes, flat, of stored value `place` of `x`.
std::int64_t index_over(const Tensor& x, unsigned axes, std::int64_t place) {
  const auto inner = rows::inner(x);
  const int mask_rank = rows::mask_rank(x);
  std::int64_t position = x.has_mask() ? x.mask().impl().positions[place / inner] : 0;
  std::int64_t inside = place % inner, index = 0, stride = 1;
  for (int i = x.rank() - 1; i >= 0; --i) {
    auto& rest = i < mask_rank ? position : inside;
    if (axes >> i & 1) {
      index += rest % x.shape()[i] * stride;
      stride *= x.shape()[i];
    }
    rest /= x.shape()[i];
  }
  return index;
}

template <int sign>
Tensor arg_extreme(std::string_view op, const Tensor& x, const Axes& axes, bool keepdims) {
  check::numeric(op, x);
  const Reduced r(op, x, axes, keepdims, 1);
  Tensor y = r.make(DType::i64);
  if (x.is_meta()) return y;
  dispatch_numeric(x.dtype(), [&]<class T>() {
    const T* from = rows::of<T>(x).data();
    std::int64_t* to = rows::of_mutable<std::int64_t>(y).data();
    kernels::fold(r.plan, from, reducers::ArgExtreme<T, sign>{},
                  [&](std::int64_t i, const T* at, std::int64_t) {
                    to[i] = index_over(x, r.axes, at - from);
                  });
  });
  return y;
}

}  // namespace

Tensor max(const Tensor& x, const Axes& axes, bool keepdims) {
  return extreme<1>("max", x, axes, keepdims);
}
Tensor min(const Tensor& x, const Axes& axes, bool keepdims) {
  return extreme<-1>("min", x, axes, keepdims);
}
Tensor argmax(const Tensor& x, const Axes& axes, bool keepdims) {
  return arg_extreme<1>("argmax", x, axes, keepdims);
}
Tensor argmin(const Tensor& x, const Axes& axes, bool keepdims) {
  return arg_extreme<-1>("argmin", x, axes, keepdims);
}

}  // namespace maskgrad
