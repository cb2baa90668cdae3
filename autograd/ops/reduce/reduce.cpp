#include <maskgrad/autograd/ops/reduce/reduce.hpp>

#include <cmath>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/reduce/reducers.hpp>
#include <maskgrad/autograd/ops/reduce/spread.hpp>
#include <maskgrad/autograd/ops/shape/concatenate.hpp>
#include <maskgrad/autograd/ops/shape/gather.hpp>
#include <maskgrad/autograd/ops/shape/rearrange.hpp>
#include <maskgrad/autograd/ops/shape/slice.hpp>
#include <maskgrad/autograd/plans/reduced.hpp>
#include <maskgrad/core/kernels/selected.hpp>

namespace maskgrad {
namespace {

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

/// The place in a table [results, most] of each value of `x`: of one that is in no result -1.
Index places_by_result(const Reduced& r, const Tensor& x, std::int64_t& results,
                       std::int64_t& most) {
  const Tensor numbers = r.make(DType::f64);
  results = rows::total(numbers);
  double* number = rows::of_mutable<double>(numbers).data();
  for (std::int64_t i = 0; i < results; ++i) number[i] = static_cast<double>(i + 1);
  const Tensor own = reduce::spread(r, numbers);
  const auto of = rows::of<double>(own);
  Index place(rows::total(x)), count(results);
  std::fill(count.begin(), count.end(), 0);
  for (std::int64_t i = 0; i < place.size(); ++i) {
    const auto result = static_cast<std::int64_t>(of[static_cast<std::size_t>(i)]) - 1;
    place[i] = result < 0 ? -1 : count[result]++;
  }
  most = results ? *std::max_element(count.begin(), count.end()) : 0;
  for (std::int64_t i = 0; i < place.size(); ++i) {
    if (place[i] < 0) continue;
    place[i] += (static_cast<std::int64_t>(of[static_cast<std::size_t>(i)]) - 1) * most;
  }
  return place;
}

/// The product made of other operations: of the values that meet, halves by halves. No division,
/// so that zeros are as good as others.
Tensor product_by_halves(const Reduced& r, const Tensor& x) {
  std::int64_t results = 0, most = 0;
  const Index place = places_by_result(r, x, results, most);
  const auto total = rows::total(x);
  const Tensor ids = rows::make({results, most}, DType::i64);
  auto* from = rows::of_mutable<std::int64_t>(ids).data();
  std::fill_n(from, results * most, total);  // a 1 behind all values
  for (std::int64_t i = 0; i < total; ++i) {
    if (place[i] >= 0) from[place[i]] = i;
  }
  const Tensor values = rearrange::regroup("product", x, {total}, Mask());
  Tensor p = take(concatenate({values, full({1}, 1, x.dtype())}, 0), ids);
  const Tensor one = full({results, 1}, 1, x.dtype());
  if (most == 0) p = one;
  for (auto n = most; n > 1; n = (n + 1) / 2) {
    if (n % 2 == 1) p = concatenate({p, one}, 1);
    const auto half = (n + 1) / 2;
    p = slice(p, 1, 0, half) * slice(p, 1, half, 2 * half);
  }
  return rearrange::regroup("product", p, r.shape, r.mask);
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
  return x.is_meta() ? r.make(x.dtype()) : reduce::sums(r, x);
}

Tensor mean(const Tensor& x, const Axes& axes, bool keepdims) {
  check::real("mean", x);
  const Reduced r("mean", x, axes, keepdims, 1);
  return x.is_meta() ? r.make(x.dtype()) : reduce::sums(r, x, true);
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
  return record("product", y, {x}, [r, x = Saved(x)](const Tensor& dy, auto& grads) {
    if constexpr (is_adjoint<decltype(grads)>) {
      grads.through(product_by_halves(r, grads.input(0, x)));
    } else {
      grads.add(0, product_backward(r, x.get(), dy));
    }
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
