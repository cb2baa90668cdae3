#include <cmath>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/plans/broadcast.hpp>

namespace maskgrad {
namespace {

void check_bool(std::string_view op, const Tensor& x) {
  if (x.dtype() == DType::boolean) return;
  fail<TypeError>(op, "got {}; expected bool. Use a comparison such as not_equal(x, 0)",
                  x.describe());
}

template <class Predicate>
Tensor test(std::string_view op, const Tensor& x, Predicate predicate) {
  check::real(op, x);
  if (x.is_meta()) return rows::make_meta(x.shape(), DType::boolean, x.mask());
  Tensor y = rows::make(x.shape(), DType::boolean, x.mask());
  dispatch_real(op, x.dtype(), [&]<class T>() {
    auto to = rows::of_mutable<bool>(y).begin();
    for (T v : rows::of<T>(x)) *to++ = predicate(v);
  });
  return y;
}

template <class Combine>
Tensor combine(std::string_view op, const Tensor& a, const Tensor& b, Combine f) {
  check_bool(op, a);
  check_bool(op, b);
  const Broadcast plan(op, a, b);
  if (a.is_meta() || b.is_meta()) return rows::make_meta(plan.shape, DType::boolean, plan.mask);
  Tensor y = rows::make(plan.shape, DType::boolean, plan.mask);
  const bool *pa = rows::of<bool>(a).data(), *pb = rows::of<bool>(b).data();
  bool* py = rows::of_mutable<bool>(y).data();
  kernels::over_pairs(
      plan, [=](std::int64_t i, std::int64_t ia, std::int64_t ib) { py[i] = f(pa[ia], pb[ib]); });
  return y;
}

}  // namespace

Tensor isnan(const Tensor& x) {
  return test("isnan", x, [](auto v) { return std::isnan(v); });
}
Tensor isinf(const Tensor& x) {
  return test("isinf", x, [](auto v) { return std::isinf(v); });
}
Tensor isfinite(const Tensor& x) {
  return test("isfinite", x, [](auto v) { return std::isfinite(v); });
}

Tensor logical_not(const Tensor& x) {
  check_bool("logical_not", x);
  if (x.is_meta()) return rows::make_meta(x.shape(), DType::boolean, x.mask());
  Tensor y = rows::make(x.shape(), DType::boolean, x.mask());
  auto to = rows::of_mutable<bool>(y).begin();
  for (bool v : rows::of<bool>(x)) *to++ = !v;
  return y;
}
Tensor logical_and(const Tensor& a, const Tensor& b) {
  return combine("logical_and", a, b, [](bool x, bool y) { return x && y; });
}
Tensor logical_or(const Tensor& a, const Tensor& b) {
  return combine("logical_or", a, b, [](bool x, bool y) { return x || y; });
}
Tensor logical_xor(const Tensor& a, const Tensor& b) {
  return combine("logical_xor", a, b, [](bool x, bool y) { return x != y; });
}

}  // namespace maskgrad
