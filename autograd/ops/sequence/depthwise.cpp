#include <maskgrad/autograd/ops/sequence/depthwise.hpp>

#include <algorithm>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>
#include <maskgrad/core/kernels/rows_copy.hpp>
#include <maskgrad/core/kernels/selected.hpp>

namespace maskgrad {
namespace {

constexpr std::string_view depthwise_op = "depthwise";

Shape infer(const Tensor& x, const Tensor& kernel) {
  check::real(depthwise_op, x);
  check::same_dtype(depthwise_op, x, kernel);
  if (x.rank() < 2 || kernel.rank() != 3 ||
      !fits(x.shape().sub(x.rank() - 2, x.rank()), kernel.shape().sub(0, 2))) {
    fail<ShapeError>(depthwise_op,
                     "{} with kernel {}; expected x [..., width, features] and kernel [width, "
                     "features, multiplier] with the same width and features",
                     x.describe(), kernel.describe());
  }
  check::no_mask(depthwise_op, kernel, "weights have no padding",
                 "drop it with kernel.drop_mask(\"why\")");
  if (x.has_mask() && x.mask().rank() > x.rank() - 2) {
    fail<MaskError>(depthwise_op,
                    "{} has a mask over its last two axes, of which one is summed over; fill "
                    "missing values first (x.drop_mask(\"why\")), or mask whole steps",
                    x.describe());
  }
  return x.shape().sub(0, x.rank() - 2) + Shape{kernel.shape()[1] * kernel.shape()[2]};
}

struct Sizes {
  std::int64_t rows, width, features, multiplier;
  std::int64_t in() const { return width * features; }
  std::int64_t out() const { return features * multiplier; }
};

/// Calls f(j * features + i, i) for all places of a row: where in x, and which feature.
template <class F>
void over_places(const Sizes& s, F&& f) {
  for (std::int64_t j = 0; j < s.width; ++j) {
    for (std::int64_t i = 0; i < s.features; ++i) f(j * s.features + i, i);
  }
}

// With one kernel a feature, as is usual, the inner loop is over features, and made of vectors.

template <class T>
void forward_row(const Sizes& s, const T* x, const T* kernel, T* y) {
  std::fill_n(y, s.out(), T(0));
  const auto m = s.multiplier;
  if (m == 1) {
    over_places(s, [=](std::int64_t at, std::int64_t i) { y[i] += x[at] * kernel[at]; });
    return;
  }
  over_places(s, [=](std::int64_t at, std::int64_t i) {
    for (std::int64_t d = 0; d < m; ++d) y[i * m + d] += x[at] * kernel[at * m + d];
  });
}

/// a b where b is known to be finite, else with the selection that a dy of 0 is.
template <bool finite, class T>
T product(T dy, T b) {
  return finite ? dy * b : kernels::selected_by(dy, dy * b);
}

template <bool finite, class T>
void input_gradient_row(const Sizes& s, const T* dy, const T* kernel, T* dx) {
  const auto m = s.multiplier;
  if (m == 1) {
    over_places(
        s, [=](std::int64_t at, std::int64_t i) { dx[at] += product<finite>(dy[i], kernel[at]); });
    return;
  }
  over_places(s, [=](std::int64_t at, std::int64_t i) {
    for (std::int64_t d = 0; d < m; ++d) {
      dx[at] += product<finite>(dy[i * m + d], kernel[at * m + d]);
    }
  });
}

template <class T>
void input_gradient(const Sizes& s, const T* dy, const T* kernel, T* dx) {
  const bool finite = kernels::all_finite(kernel, s.in() * s.multiplier);
  kernels::over_rows(s.rows, s.in() * s.multiplier, [=](std::int64_t r, std::int64_t end) {
    for (; r < end; ++r) {
      const T* d = dy + r * s.out();
      T* to = dx + r * s.in();
      finite ? input_gradient_row<true>(s, d, kernel, to)
             : input_gradient_row<false>(s, d, kernel, to);
    }
  });
}

template <bool finite, class T>
void kernel_gradient_row(const Sizes& s, const T* dy, const T* x, T* dkernel) {
  const auto m = s.multiplier;
  if (m == 1) {
    over_places(
        s, [=](std::int64_t at, std::int64_t i) { dkernel[at] += product<finite>(dy[i], x[at]); });
    return;
  }
  over_places(s, [=](std::int64_t at, std::int64_t i) {
    for (std::int64_t d = 0; d < m; ++d) {
      dkernel[at * m + d] += product<finite>(dy[i * m + d], x[at]);
    }
  });
}

/// The sum of a shard of rows; a second time, with selections, where the first is not finite.
template <class T>
void kernel_gradient_of(const Sizes& s, std::int64_t from, std::int64_t end, const T* dy,
                        const T* x, T* sum, std::int64_t size) {
  std::fill_n(sum, size, T(0));
  for (auto r = from; r < end; ++r) {
    kernel_gradient_row<true>(s, dy + r * s.out(), x + r * s.in(), sum);
  }
  if (kernels::all_finite(sum, size)) return;
  std::fill_n(sum, size, T(0));
  for (auto r = from; r < end; ++r) {
    kernel_gradient_row<false>(s, dy + r * s.out(), x + r * s.in(), sum);
  }
}

/// Each shard of rows into a sum of its own; these are added in order.
template <class T>
void kernel_gradient(const Sizes& s, const T* dy, const T* x, std::span<T> to) {
  const auto size = static_cast<std::int64_t>(to.size());
  const auto shards = std::min(shard_count(s.rows * size, kernels::elementwise_grain), s.rows);
  Pooled<T> sums(shards * size);
  parallel_for(shards, [&](std::int64_t shard) {
    kernel_gradient_of(s, shard_begin(s.rows, shards, shard),
                       shard_begin(s.rows, shards, shard + 1), dy, x, sums.data() + shard * size,
                       size);
  });
  for (std::int64_t shard = 0; shard < shards; ++shard) {
    kernels::add_row(sums.data() + shard * size, size, to.data());
  }
}

/// The same of other operations: x [..., width, features, 1] times the kernel, summed over width.
Tensor as_sums(const Tensor& x, const Tensor& kernel) {
  const Tensor products = expand_dims(x, -1) * kernel;
  const Shape shape = x.shape().sub(0, x.rank() - 2);
  return reshape(sum(products, {x.rank() - 2}),
                 shape + Shape{kernel.shape()[1] * kernel.shape()[2]});
}

}  // namespace

Tensor depthwise(const Tensor& x, const Tensor& kernel) {
  const Shape shape = infer(x, kernel);
  if (x.is_meta() || kernel.is_meta()) return rows::make_meta(shape, x.dtype(), x.mask());
  const Tensor y = rows::make(shape, x.dtype(), x.mask());
  const Sizes s{rows::count(x) * x.shape().count(rows::mask_rank(x), x.rank() - 2),
                kernel.shape()[0], kernel.shape()[1], kernel.shape()[2]};
  const auto work = s.in() * s.multiplier;
  dispatch_real(depthwise_op, x.dtype(), [&]<class T>() {
    const T *from = rows::of<T>(x).data(), *k = rows::of<T>(kernel).data();
    T* to = rows::of_mutable<T>(y).data();
    kernels::over_rows(s.rows, work, [=](std::int64_t r, std::int64_t end) {
      for (; r < end; ++r) forward_row(s, from + r * s.in(), k, to + r * s.out());
    });
  });
  return record(depthwise_op, y, {x, kernel},
                [s, x = Saved(x), kernel = Saved(kernel)](const Tensor& dy, auto& grads) {
                  if constexpr (is_adjoint<decltype(grads)>) {
                    grads.through(as_sums(grads.input(0, x), grads.input(1, kernel)));
                  } else {
                    dispatch_real(depthwise_op, dy.dtype(), [&]<class T>() {
                      const T* d = rows::of<T>(dy).data();
                      if (grads.wants(0)) {
                        const T* k = rows::of<T>(kernel.get()).data();
                        input_gradient(s, d, k, grads.template into<T>(0).data());
                      }
                      if (grads.wants(1)) {
                        kernel_gradient(s, d, rows::of<T>(x.get()).data(),
                                        grads.template into<T>(1));
                      }
                    });
                  }
                });
}

}  // namespace maskgrad
