#include <maskgrad/autograd/ops/reduce/spread.hpp>

#include <cmath>

#include <maskgrad/autograd/ops/reduce/reducers.hpp>
#include <maskgrad/core/kernels/selected.hpp>

namespace maskgrad::reduce {
namespace {

Tensor spread_values(const Reduced& r, const Tensor& dy, bool mean) {
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

Tensor added_up(const Reduced& r, const Tensor& x, bool mean) {
  const Tensor y = r.make(x.dtype());
  dispatch(x.dtype(), [&]<class T>() {
    if constexpr (!std::is_same_v<T, bool>) add_up<T>(r, x, y, mean);
  });
  return y;
}

/// A reduction as a linear map, or, `back`, its transpose.
struct Map {
  Reduced r;
  bool mean, back;

  Tensor operator()(const Tensor& x) const {
    return back ? spread_values(r, x, mean) : added_up(r, x, mean);
  }
  void operator()(const Tensor& dy, Grads& grads) const {
    grads.add(0, back ? added_up(r, dy, mean) : spread_values(r, dy, mean));
  }
};

}  // namespace

Tensor sums(const Reduced& r, const Tensor& x, bool mean) {
  return record_linear(mean ? "mean" : "sum", added_up(r, x, mean), {x}, Map{r, mean, false});
}

Tensor spread(const Reduced& r, const Tensor& y, bool mean) {
  return record_linear("spread", spread_values(r, y, mean), {y}, Map{r, mean, true});
}

}  // namespace maskgrad::reduce
