#include <maskgrad/autograd/ops/elementwise/cast.hpp>

#include <maskgrad/autograd/extend.hpp>

namespace maskgrad {
namespace {

template <class From, class To>
To convert(From v) {
  if constexpr (Real<From> && std::is_same_v<To, std::int64_t>) {
    if (!(v > From(-0x1p63) && v < From(0x1p63))) {
      fail<TypeError>("cast", "the value {} does not fit i64", static_cast<double>(v));
    }
  }
  return static_cast<To>(v);
}

Tensor converted(const Tensor& x, DType dtype) {
  Tensor y = rows::make(x.shape(), dtype, x.mask());
  dispatch(x.dtype(), [&]<class From>() {
    dispatch(dtype, [&]<class To>() {
      auto to = rows::of_mutable<To>(y).begin();
      for (From v : rows::of<From>(x)) *to++ = convert<From, To>(v);
    });
  });
  return y;
}

}  // namespace

Tensor cast(const Tensor& x, DType dtype) {
  if (x.dtype() == dtype) return x;
  if (x.is_meta()) return rows::make_meta(x.shape(), dtype, x.mask());
  const Tensor y = converted(x, dtype);
  if (!is_real(dtype)) return y;
  return record_linear(
      "cast", y, {x}, [dtype](const Tensor& g) { return converted(g, dtype); },
      [from = x.dtype()](const Tensor& dy, Grads& grads) { grads.add(0, converted(dy, from)); });
}

}  // namespace maskgrad
