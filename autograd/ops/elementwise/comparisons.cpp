#include <functional>

#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/binary.hpp>

namespace maskgrad {
namespace {

template <class Compare>
Tensor compare(std::string_view name, const Tensor& a, const Tensor& b) {
  check::same_dtype(name, a, b);
  const Broadcast plan(name, a, b);
  if (a.is_meta() || b.is_meta()) return rows::make_meta(plan.shape, DType::boolean, plan.mask);
  Tensor y = rows::make(plan.shape, DType::boolean, plan.mask);
  dispatch(a.dtype(), [&]<class T>() {
    const T *pa = rows::of<T>(a).data(), *pb = rows::of<T>(b).data();
    bool* py = rows::of_mutable<bool>(y).data();
    kernels::over_pairs(plan, [=](std::int64_t i, std::int64_t ia, std::int64_t ib) {
      py[i] = Compare{}(pa[ia], pb[ib]);
    });
  });
  return y;
}

}  // namespace

Tensor equal(const Tensor& a, const Tensor& b) {
  return compare<std::equal_to<>>("equal", a, b);
}
Tensor not_equal(const Tensor& a, const Tensor& b) {
  return compare<std::not_equal_to<>>("not_equal", a, b);
}
Tensor less(const Tensor& a, const Tensor& b) {
  return compare<std::less<>>("less", a, b);
}
Tensor less_equal(const Tensor& a, const Tensor& b) {
  return compare<std::less_equal<>>("less_equal", a, b);
}
Tensor greater(const Tensor& a, const Tensor& b) {
  return compare<std::greater<>>("greater", a, b);
}
Tensor greater_equal(const Tensor& a, const Tensor& b) {
  return compare<std::greater_equal<>>("greater_equal", a, b);
}
Tensor equal(const Tensor& a, double b) {
  return equal(a, binary_op::number("equal", b, a));
}
Tensor not_equal(const Tensor& a, double b) {
  return not_equal(a, binary_op::number("not_equal", b, a));
}
Tensor less(const Tensor& a, double b) {
  return less(a, binary_op::number("less", b, a));
}
Tensor less_equal(const Tensor& a, double b) {
  return less_equal(a, binary_op::number("less_equal", b, a));
}
Tensor greater(const Tensor& a, double b) {
  return greater(a, binary_op::number("greater", b, a));
}
Tensor greater_equal(const Tensor& a, double b) {
  return greater_equal(a, binary_op::number("greater_equal", b, a));
}

}  // namespace maskgrad
