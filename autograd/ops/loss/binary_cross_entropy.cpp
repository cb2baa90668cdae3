#include <maskgrad/autograd/ops/loss/binary_cross_entropy.hpp>

#include <algorithm>
#include <cmath>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/elementwise/activations.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/core/kernels/add_to.hpp>
#include <maskgrad/core/kernels/selected.hpp>
#include <maskgrad/core/kernels/simd/arrays.hpp>

namespace maskgrad {
namespace {

constexpr std::string_view binary_cross_entropy_op = "binary_cross_entropy";

constexpr std::int64_t block = 512;

/// Whether the logit is infinite and the target's weight there 0.
template <Real T>
bool unread(T t, T x) {
  return std::isinf(x) && (x > 0 ? 1 - t : t) == 0;
}

void backward(const Tensor& t, const Tensor& x, const Tensor& dy, Grads& grads) {
  dispatch_real(binary_cross_entropy_op, dy.dtype(), [&]<class T>() {
    const T *pt = rows::of<T>(t).data(), *px = rows::of<T>(x).data(), *d = rows::of<T>(dy).data();
    T* dt = grads.wants(0) ? grads.into<T>(0).data() : nullptr;
    T* dx = grads.wants(1) ? grads.into<T>(1).data() : nullptr;
    kernels::over_parts(rows::total(dy), [=](std::int64_t from, std::int64_t to) {
      // At a target of 0 or 1 half of the sum is not read, so that an infinite logit there has no
      // slope.
      for (auto i = from; dt && i < to; ++i)
        dt[i] -= kernels::selected(d[i], unread(pt[i], px[i]) ? T(0) : px[i]);
      T logistic[block];
      for (auto at = from; dx && at < to; at += block) {
        const auto n = std::min(block, to - at);
        kernels::simd::sigmoid(px + at, logistic, n);
        for (auto i = at; i < at + n; ++i)
          dx[i] += kernels::selected(d[i], logistic[i - at] - pt[i]);
      }
    });
  });
}

}  // namespace

Tensor detail::binary_cross_entropy(const Tensor& targets, const Tensor& logits) {
  check::real(binary_cross_entropy_op, logits);
  check::same_dtype(binary_cross_entropy_op, targets, logits);
  if (!fits(targets.shape(), logits.shape())) {
    fail<ShapeError>(binary_cross_entropy_op, "targets {} for logits {}; expected one shape",
                     targets.describe(), logits.describe());
  }
  const Tensor x = targets.has_mask() ? with_mask(logits, targets.mask()) : logits;
  const Tensor t = x.has_mask() ? with_mask(targets, x.mask()) : targets;
  if (x.is_meta() || t.is_meta()) return rows::make_meta(x.shape(), x.dtype(), x.mask());
  const Tensor y = rows::make(x.shape(), x.dtype(), x.mask());
  dispatch_real(binary_cross_entropy_op, x.dtype(), [&]<class T>() {
    const T *pt = rows::of<T>(t).data(), *px = rows::of<T>(x).data();
    T* to = rows::of_mutable<T>(y).data();
    kernels::over_parts(rows::total(x), [=](std::int64_t from, std::int64_t end) {
      // log(1 + e^-|x|) + |x| (1 - t), or |x| t below 0: each by itself, so that a small loss is
      // exact.
      for (auto i = from; i < end; ++i) to[i] = -std::abs(px[i]);
      kernels::simd::softplus(to + from, to + from, end - from);
      for (auto i = from; i < end; ++i) {
        to[i] += kernels::selected(px[i] > 0 ? 1 - pt[i] : pt[i], std::abs(px[i]));
      }
    });
  });
  return record(binary_cross_entropy_op, y, {t, x},
                [t = Saved(t), x = Saved(x)](const Tensor& dy, auto& grads) {
                  if constexpr (is_adjoint<decltype(grads)>) {
                    const Tensor v = grads.input(1, x);
                    grads.through(softplus(v) - grads.input(0, t) * v);
                  } else {
                    backward(t.get(), x.get(), dy, grads);
                  }
                });
}

}  // namespace maskgrad
