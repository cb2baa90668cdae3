#include <maskgrad/autograd/ops/loss/binary_cross_entropy.hpp>

#include <algorithm>
#include <array>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/elementwise/activations.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/loss/entropy_kernels.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>

namespace maskgrad {
namespace {

constexpr std::string_view binary_cross_entropy_op = "binary_cross_entropy";

/// f(from, n) for each stretch of n values that fits a buffer.
template <class F>
void over_blocks(std::int64_t n, const F& f) {
  kernels::over_parts(n, [&](std::int64_t from, std::int64_t to) {
    for (auto at = from; at < to; at += row_loss::block) f(at, std::min(row_loss::block, to - at));
  });
}

void backward(const Tensor& t, const Tensor& x, const Tensor& dy, Grads& grads) {
  dispatch_real(binary_cross_entropy_op, dy.dtype(), [&]<class T>() {
    const T *pt = rows::of<T>(t).data(), *px = rows::of<T>(x).data(), *d = rows::of<T>(dy).data();
    T* dt = grads.wants(0) ? grads.into<T>(0).data() : nullptr;
    T* dx = grads.wants(1) ? grads.into<T>(1).data() : nullptr;
    over_blocks(rows::total(dy), [=](std::int64_t at, std::int64_t n) {
      std::array<T, row_loss::block> share;
      const auto add = [&share, d, at, n](T* to) {
        for (std::int64_t i = 0; i < n; ++i) {
          to[at + i] += kernels::selected(d[at + i], share[static_cast<std::size_t>(i)]);
        }
      };
      if (dt) {
        row_loss::logit_entropies_to_t(T(1), pt + at, px + at, share.data(), n);
        add(dt);
      }
      if (dx) {
        row_loss::logit_entropies_to_x(T(1), pt + at, px + at, share.data(), n);
        add(dx);
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
    over_blocks(rows::total(x), [=](std::int64_t at, std::int64_t n) {
      row_loss::logit_entropies(pt + at, px + at, to + at, n);
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
