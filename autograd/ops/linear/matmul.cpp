#include <maskgrad/autograd/ops/linear/matmul.hpp>

#include <algorithm>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/linear/batched_matmul.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/autograd/ops/shape/permute.hpp>
#include <maskgrad/autograd/ops/shape/rearrange.hpp>
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

struct RowsByMatrix {
  std::int64_t m, n, k;
};

template <class T>
void backward(const Tensor& dy, const Saved& x, const Saved& w, const RowsByMatrix& s,
              Grads& grads) {
  const T* d = rows::of<T>(dy).data();
  if (grads.wants(0)) {
    const auto dx = grads.target<T>(0);
    kernels::gemm_selected<T>(s.m, s.k, s.n, kernels::Selects::left, {d, s.n},
                              {rows::of<T>(w.get()).data(), s.n, true}, dx.values, !dx.fresh);
  }
  if (grads.wants(1)) {
    const auto dw = grads.target<T>(1);
    kernels::gemm_selected<T>(s.k, s.n, s.m, kernels::Selects::right,
                              {rows::of<T>(x.get()).data(), s.k, true}, {d, s.n}, dw.values,
                              !dw.fresh);
  }
  if (grads.wants(2)) {
    const auto db = grads.target<T>(2);
    kernels::sum_lines(d, s.m, s.n, db.values, db.fresh);
  }
}

/// The rows as a matrix.
Tensor rows_of(const Tensor& x) {
  const auto width = x.shape().back();
  return rearrange::regroup(matmul_op, x, {width ? rows::total(x) / width : 0, width}, Mask());
}

/// The gradients as operations.
void tell(const Tensor& dy, const Tensor& x, const Tensor& w, Adjoint& grads) {
  if (grads.wants(0)) grads.add(0, matmul(dy, transpose(w, 0, 1)));
  if (grads.wants(1)) grads.add(1, batched_matmul(rows_of(x), rows_of(dy), true, false));
  if (grads.wants(2)) grads.add(2, sum(rows_of(dy), {0}));
}

/// A call as backward needs it.
struct RecordedMatmul {
  RowsByMatrix s;
  Saved x, w;

  template <class G>
  void operator()(const Tensor& dy, G& grads) const {
    if constexpr (is_adjoint<G>) {
      tell(dy, grads.input(0, x), grads.input(1, w), grads);
    } else {
      dispatch_real(matmul_op, dy.dtype(), [&]<class T>() { backward<T>(dy, x, w, s, grads); });
    }
  }
  /// The derivative of the gradients dy W^T, x^T dy and the sum of dy by dy, x and W.
  bool second(Second& second) const {
    dispatch_real(matmul_op, x.get().dtype(), [&]<class T>() {
      if (second.wants_output(0)) second.add_output(0, of_dy<T>(second));
      if (second.wants_input(0)) second.add_input(0, of_x<T>(second));
      if (second.wants_input(1)) second.add_input(1, of_w<T>(second));
    });
    return true;
  }

 private:
  template <class T>
  Tensor of_dy(const Second& second) const {
    const Tensor &ux = second.up(0), &uw = second.up(1), &ub = second.up(2);
    const Tensor &dy = second.output(0), made = rows::make(dy.shape(), dy.dtype(), dy.mask());
    T* to = rows::of_mutable<T>(made).data();
    if (ub.defined()) broadcast_bias(rows::of<T>(ub).data(), s.m, s.n, to);
    if (ux.defined()) {
      kernels::gemm_selected<T>(s.m, s.n, s.k, kernels::Selects::left,
                                {rows::of<T>(ux).data(), s.k}, {rows::of<T>(w.get()).data(), s.n},
                                to, ub.defined());
    }
    if (uw.defined()) {
      kernels::gemm_selected<T>(s.m, s.n, s.k, kernels::Selects::right,
                                {rows::of<T>(x.get()).data(), s.k}, {rows::of<T>(uw).data(), s.n},
                                to, ub.defined() || ux.defined());
    }
    return made;
  }
  template <class T>
  Tensor of_x(const Second& second) const {
    const Tensor &uw = second.up(1), &like = x.get();
    if (!uw.defined()) return {};
    const Tensor made = rows::make(like.shape(), like.dtype(), like.mask());
    kernels::gemm_selected<T>(
        s.m, s.k, s.n, kernels::Selects::right, {rows::of<T>(second.output(0)).data(), s.n},
        {rows::of<T>(uw).data(), s.n, true}, rows::of_mutable<T>(made).data(), false);
    return made;
  }
  template <class T>
  Tensor of_w(const Second& second) const {
    const Tensor& ux = second.up(0);
    if (!ux.defined()) return {};
    const Tensor made = rows::make(w.get().shape(), ux.dtype());
    kernels::gemm_selected<T>(
        s.k, s.n, s.m, kernels::Selects::left, {rows::of<T>(ux).data(), s.k, true},
        {rows::of<T>(second.output(0)).data(), s.n}, rows::of_mutable<T>(made).data(), false);
    return made;
  }
};

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
  return record(matmul_op, y, {x, w, bias}, RecordedMatmul{{m, n, k}, Saved(x), Saved(w)});
}

}  // namespace maskgrad
