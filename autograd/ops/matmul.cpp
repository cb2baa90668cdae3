#include <maskgrad/autograd/ops/matmul.hpp>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/core/kernels/gemm.hpp>

namespace maskgrad {
namespace {

constexpr std::string_view op = "matmul";

Shape infer(const Tensor& x, const Tensor& w) {
  check::real(op, x);
  check::same_dtype(op, x, w);
  if (x.rank() < 1 || w.rank() != 2 || !fits(x.shape().back(), w.shape()[0])) {
    fail<ShapeError>(op, "{} times {}; expected x [..., k] and w [k, n] with the same k",
                     x.describe(), w.describe());
  }
  check::no_mask(op, w, "a matrix of weights has no padding",
                 "for two masked tensors use attention(q, k, v)");
  if (x.has_mask() && x.mask().rank() == x.rank()) {
    fail<MaskError>(op,
                    "{} has a mask over its last axis, which would be summed over missing "
                    "values; fill them first (x.drop_mask(\"why\")), or mask whole steps",
                    x.describe());
  }
  return x.shape().sub(0, x.rank() - 1) + Shape{w.shape()[1]};
}

}  // namespace

Tensor matmul(const Tensor& x, const Tensor& w) {
  const Shape shape = infer(x, w);
  if (x.is_meta() || w.is_meta()) return rows::make_meta(shape, x.dtype(), x.mask());
  Tensor y = rows::make(shape, x.dtype(), x.mask());
  const auto k = w.shape()[0], n = w.shape()[1];
  const auto m = x.impl().rows * x.shape().count(rows::mask_rank(x), x.rank() - 1);
  dispatch_real(op, x.dtype(), [&]<class T>() {
    kernels::gemm<T>(m, n, k, {rows::of<T>(x).data(), k}, {rows::of<T>(w).data(), n},
                     rows::of_mutable<T>(y).data(), false);
  });
  return record(op, y, {x, w},
                [m, n, k, x = Saved(x), w = Saved(w)](const Tensor& dy, Grads& grads) {
                  dispatch_real(op, dy.dtype(), [&]<class T>() {
                    const T* d = rows::of<T>(dy).data();
                    if (grads.wants(0)) {
                      const auto dx = grads.target<T>(0);
                      kernels::gemm<T>(m, k, n, {d, n}, {rows::of<T>(w.get()).data(), n, true},
                                       dx.values, !dx.fresh);
                    }
                    if (grads.wants(1)) {
                      const auto dw = grads.target<T>(1);
                      kernels::gemm<T>(k, n, m, {rows::of<T>(x.get()).data(), k, true}, {d, n},
                                       dw.values, !dw.fresh);
                    }
                  });
                });
}

}  // namespace maskgrad
