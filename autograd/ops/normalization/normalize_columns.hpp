#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>

#include <maskgrad/autograd/ops/normalization/normalize_cells.hpp>
#include <maskgrad/core/kernels/selected.hpp>
#include <maskgrad/core/kernels/simd/at_level.hpp>
#include <maskgrad/core/kernels/simd/lines.hpp>
#include <maskgrad/core/pooled.hpp>

namespace maskgrad::normalization {

/// All groups of a segment at once: whole lines are walked and sums kept for each feature, where a
/// group's piece of a line is so narrow that to call for each would take longer than its values. A
/// group that is not plain is left to be done by itself, and changes no bit of the others.
template <class T>
class Columns {
 public:
  /// mean and scale: of each cell. gamma and beta: null for none.
  Columns(const Cells& cells, const T* x, const T* gamma, const T* beta, T* mean, T* scale)
      : c_(cells), x_(x), gamma_(gamma), beta_(beta), mean_(mean), scale_(scale) {}

  static bool pays(const Cells& c) { return c.groups > 1 && c.width() <= 64 && !c.lengths.empty(); }

  /// Mean and scale of the segment's groups, right where they are finite.
  void statistics(std::int64_t s, double epsilon) const {
    Pooled<double> sums(c_.features);
    Pooled<T> mean(c_.features);
    const double n = static_cast<double>(c_.length(s) * c_.width());
    summed(sums);
    each(s, [&](std::int64_t at) { lines().add_sums(x_ + at, sums.data(), c_.features); });
    for (std::int64_t g = 0; g < c_.groups; ++g) {
      mean_[cell(s, g)] = static_cast<T>(total(sums, g) / n);
    }
    spread(s, mean_, mean.data());
    summed(sums);
    each(s, [&](std::int64_t at) {
      lines().add_squares(x_ + at, mean.data(), sums.data(), c_.features);
    });
    for (std::int64_t g = 0; g < c_.groups; ++g) {
      scale_[cell(s, g)] = static_cast<T>(1 / std::sqrt(total(sums, g) / n + epsilon));
    }
  }

  void forward(std::int64_t s, T* y) const {
    Pooled<T> mean(c_.features), factor(c_.features), offset(c_.features);
    spread(s, mean_, mean.data());
    spread(s, scale_, factor.data());
    for (std::int64_t i = 0; i < c_.features; ++i) {
      if (gamma_) factor[i] *= gamma_[i];
      offset[i] = beta_ ? beta_[i] : T(0);
    }
    each_at_level(s, [features = c_.features, x = x_, y, m = mean.data(), f = factor.data(),
                      b = offset.data()](std::int64_t at) {
      for (std::int64_t i = 0; i < features; ++i) y[at + i] = (x[at + i] - m[i]) * f[i] + b[i];
    });
  }

  /// Whether a group's mean and scale are finite.
  bool finite(std::int64_t s, std::int64_t g) const {
    return std::isfinite(mean_[cell(s, g)]) && std::isnormal(scale_[cell(s, g)]);
  }
  /// And its part of gamma.
  bool plain(std::int64_t s, std::int64_t g) const {
    return finite(s, g) && (!gamma_ || kernels::all_finite(gamma_ + g * c_.width(), c_.width()));
  }

  /// Of plain groups: dx = scale (d - mean(d) - normal mean(d normal)) with d = dy gamma; null for
  /// none.
  void backward(std::int64_t s, const T* dy, T* dx, double* dgamma, double* dbeta) const {
    Pooled<T> mean(c_.features), scale(c_.features);
    Pooled<double> sum_dy(c_.features), sum_normal(c_.features);
    spread(s, mean_, mean.data());
    spread(s, scale_, scale.data());
    summed(sum_dy);
    summed(sum_normal);
    each(s, [&](std::int64_t at) {
      lines().add_products(x_ + at, dy + at, mean.data(), scale.data(), sum_dy.data(),
                           sum_normal.data(), c_.features);
    });
    for (std::int64_t g = 0; g < c_.groups; ++g) {
      if (!plain(s, g)) continue;
      for (auto i = g * c_.width(); i < (g + 1) * c_.width(); ++i) {
        dgamma[i] += sum_normal[i];
        dbeta[i] += sum_dy[i];
      }
    }
    if (dx) to_x(s, dy, dx, mean.data(), scale.data(), sum_dy, sum_normal);
  }

 private:
  void to_x(std::int64_t s, const T* dy, T* dx, const T* mean, const T* scale,
            Pooled<double>& sum_dy, Pooled<double>& sum_normal) const {
    Pooled<T> factor(c_.features), shift(c_.features), slope(c_.features);
    for (std::int64_t i = 0; gamma_ && i < c_.features; ++i) {
      sum_dy[i] *= gamma_[i];
      sum_normal[i] *= gamma_[i];
    }
    const double n = static_cast<double>(c_.length(s) * c_.width());
    for (std::int64_t g = 0; g < c_.groups; ++g) {
      const double d = total(sum_dy, g) / n, d_normal = total(sum_normal, g) / n;
      for (auto i = g * c_.width(); i < (g + 1) * c_.width(); ++i) {
        const double r = scale[i];
        factor[i] = gamma_ ? scale[i] * gamma_[i] : scale[i];
        shift[i] = static_cast<T>(r * d);
        slope[i] = static_cast<T>(r * r * d_normal);
      }
    }
    each_at_level(s, [features = c_.features, x = x_, dy, dx, mean, f = factor.data(),
                      a = shift.data(), b = slope.data()](std::int64_t at) {
      for (std::int64_t i = 0; i < features; ++i) {
        dx[at + i] = f[i] * dy[at + i] - a[i] - (x[at + i] - mean[i]) * b[i];
      }
    });
  }

  std::int64_t cell(std::int64_t s, std::int64_t g) const { return s * c_.groups + g; }
  void summed(Pooled<double>& sums) const { std::fill(sums.begin(), sums.end(), 0.0); }
  double total(const Pooled<double>& sums, std::int64_t g) const {
    const double* of = sums.data() + g * c_.width();
    return std::accumulate(of, of + c_.width(), 0.0);
  }
  /// A number of each group, for each feature.
  void spread(std::int64_t s, const T* of_cells, T* to) const {
    for (std::int64_t g = 0; g < c_.groups; ++g) {
      std::fill_n(to + g * c_.width(), c_.width(), of_cells[cell(s, g)]);
    }
  }
  /// f(place of the first value) for each line of the segment.
  template <class F>
  void each(std::int64_t s, const F& f) const {
    for (auto line = c_.first(s); line < c_.first(s) + c_.length(s); ++line) f(line * c_.features);
  }
  template <class F>
  void each_at_level(std::int64_t s, const F& f) const {
    kernels::simd::at_level([&] { each(s, f); });
  }
  static const kernels::simd::Lines<T>& lines() { return kernels::simd::lines<T>(); }

  const Cells& c_;
  const T *x_, *gamma_, *beta_;
  T *mean_, *scale_;
};

}  // namespace maskgrad::normalization
