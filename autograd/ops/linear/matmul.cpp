#include <maskgrad/autograd/ops/linear/matmul.hpp>

#include <algorithm>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/core/kernels/gemm.hpp>
#include <maskgrad/core/kernels/line_sums.hpp>
#include <maskgrad/core/kernels/selected.hpp>

namespace maskgrad {
namespace {

constexpr std::string_view matmul_op = "matmul";

void check_bias(const Tensor& x, const Tensor& w, const Tensor& bias) {
  check::same_dtype(matmul_op, x, bias);
  check::no_mask(matmul_op, bias, "a bias has no padding", "to mask rows, mask x");
  if (bias.rank() == 1 && fits(bias.shape()[0], w.shape()[1])) return;
  fail<ShapeError>(matmul_op, "a bias {} with w {}; expected [n] with w [k, n]", bias.describe(),
                   w.describe());
}

Shape infer(const Tensor& x, const Tensor& w, const Tensor& bias) {
  check::real(matmul_op, x);
  check::same_dtype(matmul_op, x, w);
  if (x.rank() < 1 || w.rank() != 2 || !fits(x.shape().back(), w.shape()[0])) {
    fail<ShapeError>(matmul_op, "{} times {}; expected x [..., k] and w [k, n] with the same k",
                     x.describe(), w.describe());
  }
  check::no_mask(matmul_op, w, "a matrix of weights has no padding",
                 "for two masked tensors use attention(q, k, v)");
  if (x.has_mask() && x.mask().rank() == x.rank()) {
    fail<MaskError>(matmul_op,
                    "{} has a mask over its last axis, which would be summed over missing "
                    "values; fill them first (x.drop_mask(\"why\")), or mask whole steps",
                    x.describe());
  }
  if (bias.defined()) check_bias(x, w, bias);
  return x.shape().sub(0, x.rank() - 1) + Shape{w.shape()[1]};
}

/// y [m, n] = the bias in each row.
template <class T>
void broadcast_bias(const T* bias, std::int64_t m, std::int64_t n, T* y) {
  const auto parts = kernels::line_parts(m, n);
  parallel_for(parts, [&](std::int64_t part) {
    const auto end = shard_begin(m, parts, part + 1);
    for (auto i = shard_begin(m, parts, part); i < end; ++i) std::copy_n(bias, n, y + i * n);
  });
}

}  // namespace

Tensor matmul(const Tensor& x, const Tensor& w, const Tensor& bias) {
  const Shape shape = infer(x, w, bias);
  if (x.is_meta() || w.is_meta()) return rows::make_meta(shape, x.dtype(), x.mask());
  const Tensor y = rows::make(shape, x.dtype(), x.mask());
  const auto k = w.shape()[0], n = w.shape()[1];
  const auto m = x.impl().rows * x.shape().count(rows::mask_rank(x), x.rank() - 1);
  dispatch_real(matmul_op, x.dtype(), [&]<class T>() {
    T* to = rows::of_mutable<T>(y).data();
    if (bias.defined()) broadcast_bias(rows::of<T>(bias).data(), m, n, to);
    kernels::gemm<T>(m, n, k, {rows::of<T>(x).data(), k}, {rows::of<T>(w).data(), n}, to,
                     bias.defined());
  });
  return record(matmul_op, y, {x, w, bias},
                [m, n, k, x = Saved(x), w = Saved(w)](const Tensor& dy, Grads& grads) {
                  dispatch_real(matmul_op, dy.dtype(), [&]<class T>() {
                    const T* d = rows::of<T>(dy).data();
                    if (grads.wants(0)) {
                      const auto dx = grads.target<T>(0);
                      kernels::gemm_selected<T>(m, k, n, kernels::Selects::left, {d, n},
                                                {rows::of<T>(w.get()).data(), n, true}, dx.values,
                                                !dx.fresh);
                    }
                    if (grads.wants(1)) {
                      const auto dw = grads.target<T>(1);
                      kernels::gemm_selected<T>(k, n, m, kernels::Selects::right,
                                                {rows::of<T>(x.get()).data(), k, true}, {d, n},
                                                dw.values, !dw.fresh);
                    }
                    if (grads.wants(2)) {
                      const auto db = grads.target<T>(2);
                      kernels::sum_lines(d, m, n, db.values, db.fresh);
                    }
                  });
                });
}

}  // namespace maskgrad
