#include <cmath>
#include <vector>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/normalization/normalize_check.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/autograd/ops/reduce/standardize.hpp>
#include <maskgrad/core/kernels/add_to.hpp>
#include <maskgrad/core/kernels/simd/lines.hpp>
#include <maskgrad/core/pooled.hpp>

namespace maskgrad {
namespace {

constexpr std::string_view batch_normalize_op = "batch_normalize";

/// Two sums a feature over all lines: f(line's values begin at, sums a, sums b) adds a line's; the
/// shards' sums are added in their order.
template <class F>
Pooled<double> two_sums(std::int64_t lines, std::int64_t features, F&& f) {
  const auto shards = std::max<std::int64_t>(
      1, std::min(lines, shard_count(lines * features, kernels::elementwise_grain)));
  Pooled<double> sums(shards * 2 * features);
  std::fill(sums.begin(), sums.end(), 0.0);
  parallel_for(shards, [&](std::int64_t shard) {
    double* a = sums.data() + shard * 2 * features;
    const auto end = shard_begin(lines, shards, shard + 1);
    for (auto line = shard_begin(lines, shards, shard); line < end; ++line) {
      f(line * features, a, a + features);
    }
  });
  for (std::int64_t shard = 1; shard < shards; ++shard) {
    for (std::int64_t i = 0; i < 2 * features; ++i) sums[i] += sums[shard * 2 * features + i];
  }
  return sums;
}

/// f(first, last) over fixed parts of the lines, as places of values.
template <class F>
void over_lines(std::int64_t lines, std::int64_t features, F&& f) {
  const auto shards = std::min(lines, shard_count(lines * features, kernels::elementwise_grain));
  parallel_for(shards, [&](std::int64_t shard) {
    f(shard_begin(lines, shards, shard) * features,
      shard_begin(lines, shards, shard + 1) * features);
  });
}

using detail::SumOver;

/// `values` of this tensor become those of all that are normalized together.
void sum_all(const SumOver& sum_over, double* values, std::int64_t count) {
  if (sum_over) sum_over({values, static_cast<std::size_t>(count)});
}

/// Mean and 1 / sqrt(variance + epsilon) of each feature; the variance is given too. Returns the
/// values that each is over; of 0 there are no statistics.
template <class T>
std::int64_t statistics(const Tensor& x, double epsilon, const SumOver& sum_over,
                        const Tensor& mean, const Tensor& variance, const Tensor& scale) {
  const auto features = x.shape().back(), lines = rows::total(x) / features;
  const T* in = rows::of<T>(x).data();
  T *m = rows::of_mutable<T>(mean).data(), *v = rows::of_mutable<T>(variance).data(),
    *r = rows::of_mutable<T>(scale).data();
  const auto& simd = kernels::simd::lines<T>();
  auto sums = two_sums(lines, features, [&](std::int64_t at, double* a, double*) {
    simd.add_sums(in + at, a, features);
  });
  sums[features] = static_cast<double>(lines);  // the second sum of a feature is of no use here
  sum_all(sum_over, sums.data(), features + 1);
  const double n = sums[features];
  if (n == 0) return 0;
  for (std::int64_t i = 0; i < features; ++i) m[i] = static_cast<T>(sums[i] / n);
  auto squares = two_sums(lines, features, [&](std::int64_t at, double* a, double*) {
    simd.add_squares(in + at, m, a, features);
  });
  sum_all(sum_over, squares.data(), features);
  for (std::int64_t i = 0; i < features; ++i) {
    v[i] = static_cast<T>(squares[i] / n);
    r[i] = static_cast<T>(1 / std::sqrt(squares[i] / n + epsilon));
  }
  return static_cast<std::int64_t>(n);
}

template <class T>
void forward(const Tensor& x, const Tensor& y, const Affine& affine, const Tensor& mean,
             const Tensor& scale) {
  const auto features = x.shape().back();
  const T *in = rows::of<T>(x).data(), *m = rows::of<T>(mean).data();
  T* out = rows::of_mutable<T>(y).data();
  Pooled<T> factor(features), offset(features);
  for (std::int64_t i = 0; i < features; ++i) {
    factor[i] = rows::of<T>(scale)[static_cast<std::size_t>(i)];
    const auto k = static_cast<std::size_t>(i);
    if (affine.gamma.defined()) factor[i] *= rows::of<T>(affine.gamma)[k];
    offset[i] = affine.beta.defined() ? rows::of<T>(affine.beta)[k] : T(0);
  }
  const T *f = factor.data(), *b = offset.data();
  over_lines(rows::total(x) / features, features, [=](std::int64_t at, std::int64_t end) {
    for (; at < end; at += features) {
      for (std::int64_t i = 0; i < features; ++i) out[at + i] = (in[at + i] - m[i]) * f[i] + b[i];
    }
  });
}

/// Features whose statistics or gamma are not finite, and to which no gradient comes: nothing of
/// them is read.
template <class T>
std::vector<std::int64_t> unread(const T* mean, const T* scale, const T* gamma, const T* dy,
                                 std::int64_t lines, std::int64_t features) {
  std::vector<std::int64_t> found;
  for (std::int64_t i = 0; i < features; ++i) {
    const bool finite = std::isfinite(mean[i]) && std::isnormal(scale[i]);
    if (finite && (!gamma || std::isfinite(gamma[i]))) continue;
    std::int64_t line = 0;
    while (line < lines && dy[line * features + i] == 0) ++line;
    if (line == lines) found.push_back(i);
  }
  return found;
}

/// What all that are normalized together have in common.
struct Together {
  Tensor mean, scale;
  std::int64_t count = 0;
  SumOver sum_over;
};

/// dx = gamma scale (dy - mean(dy) - normal mean(dy normal)).
template <class T>
void backward(const Tensor& x, const Tensor& gamma, const Together& all, const Tensor& dy,
              Grads& grads) {
  const auto features = x.shape().back(), lines = rows::total(x) / features;
  const T *in = rows::of<T>(x).data(), *up = rows::of<T>(dy).data();
  const T *m = rows::of<T>(all.mean).data(), *r = rows::of<T>(all.scale).data();
  const auto& simd = kernels::simd::lines<T>();
  auto sums = two_sums(lines, features, [&](std::int64_t at, double* sum_dy, double* sum_d_normal) {
    simd.add_products(in + at, up + at, m, r, sum_dy, sum_d_normal, features);
  });
  const T* g = rows::data_or_null<T>(gamma);
  const auto idle = unread(m, r, g, up, lines, features);
  for (const auto i : idle) sums[features + i] = 0;
  const auto sum_as_gradient = [&](std::int64_t from) {
    const Tensor made = rows::make({features}, dy.dtype());
    for (std::int64_t i = 0; i < features; ++i) {
      rows::of_mutable<T>(made)[static_cast<std::size_t>(i)] = static_cast<T>(sums[from + i]);
    }
    return made;
  };
  if (grads.wants(1)) grads.add(1, sum_as_gradient(features));
  if (grads.wants(2)) grads.add(2, sum_as_gradient(0));
  if (!grads.wants(0)) return;
  sum_all(all.sum_over, sums.data(), 2 * features);
  const Tensor dx = rows::make(x.shape(), x.dtype(), x.mask());
  T* to = rows::of_mutable<T>(dx).data();
  Pooled<T> factor(features), sum_dy(features), sum_d_normal(features);
  const double n = static_cast<double>(std::max<std::int64_t>(all.count, 1));
  for (std::int64_t i = 0; i < features; ++i) {
    factor[i] = r[i];
    if (g) factor[i] *= g[i];
    sum_dy[i] = static_cast<T>(sums[i] / n);
    sum_d_normal[i] = static_cast<T>(sums[features + i] / n * static_cast<double>(r[i]));
  }
  const T *f = factor.data(), *a = sum_dy.data(), *b = sum_d_normal.data();
  over_lines(lines, features, [=](std::int64_t at, std::int64_t end) {
    for (; at < end; at += features) {
      for (std::int64_t i = 0; i < features; ++i) {
        to[at + i] = f[i] * (up[at + i] - a[i] - (in[at + i] - m[i]) * b[i]);
      }
    }
  });
  for (const auto i : idle) {
    for (std::int64_t line = 0; line < lines; ++line) to[line * features + i] = 0;
  }
  grads.add(0, dx);
}

void refuse_second(const SumOver& sum_over) {
  if (!sum_over) return;
  fail<GradError>(batch_normalize_op,
                  "its statistics are those of all shards of a step, and such a call has first "
                  "gradients alone; give the layer .synchronized = false");
}

}  // namespace

BatchResult batch_normalize(const Tensor& x, double epsilon, const Affine& affine) {
  return detail::batch_normalize(x, epsilon, affine, {});
}

BatchResult detail::batch_normalize(const Tensor& x, double epsilon, const Affine& affine,
                                    const SumOver& sum_over) {
  check::normalize(batch_normalize_op, x, epsilon, affine);
  if (x.is_meta()) return {rows::make_meta(x.shape(), x.dtype(), x.mask()), {}, {}, 0};
  const auto features = x.shape().back();
  const bool any = features > 0 && (sum_over || rows::total(x) > 0);
  const Tensor y = rows::make(x.shape(), x.dtype(), x.mask());
  const Tensor variance = rows::make_zeros({features}, x.dtype());
  Together all{rows::make_zeros({features}, x.dtype()), rows::make_zeros({features}, x.dtype()), 0,
               sum_over};
  if (any) {
    dispatch_real(batch_normalize_op, x.dtype(), [&]<class T>() {
      all.count = statistics<T>(x, epsilon, sum_over, all.mean, variance, all.scale);
      forward<T>(x, y, affine, all.mean, all.scale);
    });
  }
  const Tensor mean = all.mean;
  const auto count = all.count;
  const Tensor out = record(
      batch_normalize_op, y, {x, affine.gamma, affine.beta},
      [all = std::move(all), epsilon, x = Saved(x), gamma = Saved(affine.gamma)](const Tensor& dy,
                                                                                 auto& grads) {
        if (dy.shape().back() == 0) return;
        if constexpr (is_adjoint<decltype(grads)>) {
          refuse_second(all.sum_over);
          std::vector<int> lead;
          for (int i = 0; i + 1 < dy.rank(); ++i) lead.push_back(i);
          const Tensor g = grads.input(1, gamma);
          const Tensor normal = standardize(grads.input(0, x), Axes(lead), epsilon);
          grads.through(g.defined() ? normal * g : normal);
          if (grads.wants(2)) grads.add(2, sum(dy, Axes(lead)));
        } else {
          dispatch_real(batch_normalize_op, dy.dtype(),
                        [&]<class T>() { backward<T>(x.get(), gamma.get(), all, dy, grads); });
        }
      });
  return {out, mean, variance, count};
}

}  // namespace maskgrad
