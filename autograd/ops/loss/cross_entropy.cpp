#include <maskgrad/autograd/ops/loss/cross_entropy.hpp>

#include <algorithm>
#include <cmath>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/autograd/ops/shape/gather.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>
#include <maskgrad/core/kernels/add_to.hpp>
#include <maskgrad/core/kernels/simd/lines.hpp>

namespace maskgrad {
namespace {

constexpr std::string_view sparse_cross_entropy_op = "sparse_cross_entropy";

void check_call(const Tensor& ids, const Tensor& logits) {
  check::ids(sparse_cross_entropy_op, ids);
  check::real(sparse_cross_entropy_op, logits);
  if (logits.rank() < 1 || !fits(ids.shape(), logits.shape().sub(0, logits.rank() - 1))) {
    fail<ShapeError>(sparse_cross_entropy_op,
                     "ids {} for logits {}; expected ids [...] and logits [..., classes]",
                     ids.describe(), logits.describe());
  }
  if (logits.has_mask() && logits.mask().rank() == logits.rank()) {
    fail<MaskError>(sparse_cross_entropy_op,
                    "{} has a mask over classes; mask whole positions, or fill the missing "
                    "logits with x.drop_mask(\"why\", -infinity)",
                    logits.describe());
  }
}

void check_ids(const Tensor& ids, std::int64_t classes) {
  const auto values = rows::of<std::int64_t>(ids);
  const auto bad =
      std::find_if(values.begin(), values.end(), [=](auto id) { return id < 0 || id >= classes; });
  if (bad == values.end()) return;
  auto at = bad - values.begin();
  if (ids.has_mask()) {
    const auto inner = rows::inner(ids);
    at = ids.mask().impl().positions[at / inner] * inner + at % inner;
  }
  fail<IndexError>(sparse_cross_entropy_op,
                   "the id {} at flat position {} of {} is no class; expected 0 to {}", *bad, at,
                   ids.describe(), classes - 1);
}

/// For each row of `classes` logits: the loss, and the log of the sum that backward divides by.
template <Real T>
void forward(const std::int64_t* ids, const T* x, std::int64_t rows, std::int64_t classes, T* y,
             T* log_sum) {
  if (rows == 0) return;
  const auto& lines = kernels::simd::lines<T>();
  kernels::over_parts(rows * classes, [&](std::int64_t from, std::int64_t to) {
    for (auto r = (from + classes - 1) / classes; r * classes < to; ++r) {
      const T* row = x + r * classes;
      const T top = lines.greatest(row, classes);
      log_sum[r] = top + static_cast<T>(std::log(lines.sum_exp(row, top, classes)));
      y[r] = log_sum[r] - row[ids[r]];
    }
  });
}

template <Real T>
void backward(const std::int64_t* ids, const T* x, const T* log_sum, const T* dy, std::int64_t rows,
              std::int64_t classes, Grads::Target<T> dx) {
  if (rows == 0) return;
  const auto& lines = kernels::simd::lines<T>();
  kernels::over_parts(rows * classes, [&](std::int64_t from, std::int64_t to) {
    for (auto r = (from + classes - 1) / classes; r * classes < to; ++r) {
      if (dy[r] == 0) {  // not read: NaN may stand there
        if (dx.fresh) std::fill_n(dx.values + r * classes, classes, T(0));
        continue;
      }
      lines.exp_scaled(x + r * classes, log_sum[r], dy[r], !dx.fresh, dx.values + r * classes,
                       classes);
      dx.values[r * classes + ids[r]] -= dy[r];
    }
  });
}

}  // namespace

Tensor detail::sparse_cross_entropy(const Tensor& targets, const Tensor& predictions) {
  check_call(targets, predictions);
  const Tensor logits = targets.has_mask() ? with_mask(predictions, targets.mask()) : predictions;
  const Tensor ids = logits.has_mask() ? with_mask(targets, logits.mask()) : targets;
  if (ids.is_meta() || logits.is_meta()) {
    return rows::make_meta(ids.shape(), logits.dtype(), logits.mask());
  }
  const auto classes = logits.shape().back(), rows_n = rows::total(ids);
  check_ids(ids, classes);
  Tensor y = rows::make(ids.shape(), logits.dtype(), logits.mask());
  const Tensor log_sum = rows::make({rows_n}, logits.dtype());
  const std::int64_t* id = rows::of<std::int64_t>(ids).data();
  dispatch_real(sparse_cross_entropy_op, logits.dtype(), [&]<class T>() {
    forward<T>(id, rows::of<T>(logits).data(), rows_n, classes, rows::of_mutable<T>(y).data(),
               rows::of_mutable<T>(log_sum).data());
  });
  return record(sparse_cross_entropy_op, y, {logits},
                [ids, log_sum, x = Saved(logits)](const Tensor& dy, auto& grads) {
                  if constexpr (is_adjoint<decltype(grads)>) {
                    const Tensor v = grads.input(0, x);
                    const Tensor picked = take_along_axis(v, expand_dims(ids, -1), -1);
                    grads.through(logsumexp(v, {-1}) - squeeze(picked, -1));
                  } else {
                    dispatch_real(sparse_cross_entropy_op, dy.dtype(), [&]<class T>() {
                      const auto n = rows::total(dy);
                      backward<T>(rows::of<std::int64_t>(ids).data(), rows::of<T>(x.get()).data(),
                                  rows::of<T>(log_sum).data(), rows::of<T>(dy).data(), n,
                                  x.get().shape().back(), grads.template target<T>(0));
                    });
                  }
                });
}

}  // namespace maskgrad
