#include <maskgrad/autograd/ops/normalization/normalize.hpp>

#include <algorithm>
#include <cmath>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/normalization/normalize_cells.hpp>
#include <maskgrad/autograd/ops/normalization/normalize_check.hpp>
#include <maskgrad/autograd/ops/normalization/normalize_columns.hpp>
#include <maskgrad/autograd/ops/normalization/normalize_second.hpp>
#include <maskgrad/autograd/plans/sequences.hpp>
#include <maskgrad/core/kernels/selected.hpp>
#include <maskgrad/core/kernels/simd/lines.hpp>
#include <maskgrad/core/pooled.hpp>

namespace maskgrad {
namespace {

using normalization::By;
using normalization::Cells;
using normalization::Columns;
using normalization::each_line;
using normalization::each_segment;
using normalization::joined;

/// Each line by itself.
Cells lines_of(const Tensor& x) {
  Cells cells;
  cells.features = x.shape().back();
  cells.segments = cells.features == 0 ? 0 : rows::total(x) / cells.features;
  return cells;
}

template <class T>
struct Kernel {
  const Cells& c;
  const T *x, *gamma, *beta;  // null: none
  T *mean, *scale;            // of each cell
  bool odd_gamma = false;     // backward: not all of it is finite

  void statistics(std::int64_t s, std::int64_t g, By by, double epsilon) {
    const auto w = c.width(), n = c.length(s) * w;
    double total = 0, squares = 0;
    if (by == By::variance) {
      each_line(c, s, g, [&](std::int64_t at) { total += lines().sum(x + at, w); });
    }
    const T m = static_cast<T>(total / static_cast<double>(n));
    each_line(c, s, g, [&](std::int64_t at) { squares += lines().squares(x + at, m, w); });
    mean[s * c.groups + g] = m;
    const double below = by == By::length ? std::max(std::sqrt(squares), epsilon)
                                          : std::sqrt(squares / static_cast<double>(n) + epsilon);
    scale[s * c.groups + g] = static_cast<T>(1 / below);
    if (!std::isfinite(squares)) far_statistics(s, g, by, epsilon);
  }

  void forward(std::int64_t s, std::int64_t g, T* y) const {
    const T m = mean[s * c.groups + g], r = scale[s * c.groups + g];
    const auto w = c.width();
    each_line(c, s, g, [&](std::int64_t at) {
      lines().normalize(x + at, m, r, part(gamma, g), part(beta, g), y + at, w);
    });
  }

  /// dx = scale (d - mean(d) - normal mean(d normal)) with d = dy gamma; the sums for gamma and
  /// beta go to `dgamma` and `dbeta`. By the length it is their sum, not a mean.
  void backward(std::int64_t s, std::int64_t g, By by, double epsilon, const T* dy, T* dx,
                double* dgamma, double* dbeta) const {
    const T m = mean[s * c.groups + g], r = scale[s * c.groups + g];
    const auto w = c.width();
    if (!reads(s, g, m, r, dy)) {
      if (dx) each_line(c, s, g, [&](std::int64_t at) { std::fill_n(dx + at, w, T(0)); });
      return;
    }
    const bool odd = odd_gamma || !finite(m, r);
    double sum_d = 0, sum_d_normal = 0;
    each_line(c, s, g, [&](std::int64_t at) {
      const auto sums = odd ? selected_sums(at, g, m, r, dy, dgamma, dbeta)
                            : lines().normalize_sums(x + at, m, r, part(gamma, g), dy + at,
                                                     dgamma + g * w, dbeta + g * w, w);
      sum_d += sums.sum_d;
      sum_d_normal += sums.sum_d_normal;
    });
    if (!dx) return;
    const double n = by == By::length ? 1 : static_cast<double>(c.length(s) * w);
    const bool least = by == By::length && r >= static_cast<T>(1 / epsilon);  // a constant
    const T mean_d = by == By::variance ? static_cast<T>(sum_d / n) : T(0);
    const T mean_normal = least ? T(0) : static_cast<T>(sum_d_normal / n);
    Pooled<T> d;  // none for each plain line: threads would wait for each other's memory
    if (odd) d = Pooled<T>(w);
    each_line(c, s, g, [&](std::int64_t at) {
      for (std::int64_t i = 0; odd && i < w; ++i) d[i] = down(g, i, dy[at + i]);
      lines().normalize_gradient(x + at, m, r, odd ? nullptr : part(gamma, g),
                                 odd ? d.data() : dy + at, mean_d, mean_normal, dx + at, w);
    });
  }

  Columns<T> columns() const { return {c, x, gamma, beta, mean, scale}; }

 private:
  /// Of f64 whose sum or squares overflow.
  void far_statistics(std::int64_t s, std::int64_t g, By by, double epsilon) {
    constexpr double small = 0x1p-600;
    const auto w = c.width();
    const double n = by == By::length ? 1 : static_cast<double>(c.length(s) * w);
    double m = 0, squares = 0;
    const auto each = [&](auto&& f) {
      each_line(c, s, g, [&](std::int64_t at) { std::for_each(x + at, x + at + w, f); });
    };
    if (by == By::variance) each([&](double v) { m += v / n; });
    each([&](double v) { squares += (v * small - m * small) * (v * small - m * small); });
    const double root = std::sqrt(squares / n);
    const bool least = by == By::length && root < epsilon * small;
    mean[s * c.groups + g] = static_cast<T>(m);
    scale[s * c.groups + g] = static_cast<T>(least ? 1 / epsilon : small / root);
  }
  /// Whether there is anything to read: not where no gradient comes to a cell that is not finite.
  bool reads(std::int64_t s, std::int64_t g, T m, T r, const T* dy) const {
    if (finite(m, r)) return true;
    bool zero = true;
    each_line(c, s, g,
              [&](std::int64_t at) { zero = zero && kernels::all_zero(dy + at, c.width()); });
    return !zero;
  }
  static bool finite(T m, T r) { return std::isfinite(m) && std::isnormal(r); }
  /// What of dy goes through gamma.
  T down(std::int64_t g, std::int64_t i, T up) const {
    return gamma ? kernels::selected(up, part(gamma, g)[i]) : up;
  }
  /// As normalize_sums, of which a gradient of 0 reads nothing.
  kernels::simd::NormalizeSums selected_sums(std::int64_t at, std::int64_t g, T m, T r, const T* dy,
                                             double* dgamma, double* dbeta) const {
    kernels::simd::NormalizeSums sums{};
    for (std::int64_t i = 0; i < c.width(); ++i) {
      const double up = dy[at + i], d = down(g, i, dy[at + i]);
      const double normal = (static_cast<double>(x[at + i]) - m) * r;
      sums.sum_d += d;
      sums.sum_d_normal += kernels::selected_by(d, d * normal);
      dgamma[g * c.width() + i] += kernels::selected_by(up, up * normal);
      dbeta[g * c.width() + i] += up;
    }
    return sums;
  }
  static const kernels::simd::Lines<T>& lines() { return kernels::simd::lines<T>(); }
  /// Gamma or beta of a group.
  const T* part(const T* of_all, std::int64_t g) const {
    return of_all ? of_all + g * c.width() : nullptr;
  }
};

template <class T>
Kernel<T> kernel_of(const Cells& cells, const Tensor& x, const Affine& affine, const Tensor& mean,
                    const Tensor& scale) {
  return {cells,
          rows::data_or_null<T>(x),
          rows::data_or_null<T>(affine.gamma),
          rows::data_or_null<T>(affine.beta),
          rows::of_mutable<T>(mean).data(),
          rows::of_mutable<T>(scale).data()};
}

template <class T>
void run_backward(const Cells& c, Kernel<T> kernel, By by, double epsilon, const Tensor& like,
                  const Tensor& dy, Grads& grads) {
  const auto shards = c.shards();
  Pooled<double> dgamma(shards * c.features), dbeta(shards * c.features);
  std::fill(dgamma.begin(), dgamma.end(), 0.0);
  std::fill(dbeta.begin(), dbeta.end(), 0.0);
  const Tensor dx = grads.wants(0) ? rows::make(like.shape(), like.dtype(), like.mask()) : Tensor();
  T* to = dx.defined() ? rows::of_mutable<T>(dx).data() : nullptr;
  const T* up = rows::of<T>(dy).data();
  kernel.odd_gamma = kernel.gamma && !kernels::all_finite(kernel.gamma, c.features);
  const auto columns = kernel.columns();
  const bool whole_lines = Columns<T>::pays(c);
  each_segment(c, [&](std::int64_t s, std::int64_t shard) {
    double *to_gamma = &dgamma[shard * c.features], *to_beta = &dbeta[shard * c.features];
    if (whole_lines) columns.backward(s, up, to, to_gamma, to_beta);
    for (std::int64_t g = 0; g < c.groups; ++g) {
      if (whole_lines && columns.plain(s, g)) continue;
      kernel.backward(s, g, by, epsilon, up, to, to_gamma, to_beta);
    }
  });
  if (dx.defined()) grads.add(0, dx);
  if (grads.wants(1)) grads.add(1, joined<T>(dgamma, shards, c.features));
  if (grads.wants(2)) grads.add(2, joined<T>(dbeta, shards, c.features));
}

/// A call as backward needs it.
struct Recorded {
  Cells cells;
  By by;
  double epsilon;
  Tensor mean, scale;
  Saved x, gamma;

  template <class G>
  void operator()(const Tensor& dy, G& grads) const {
    if constexpr (is_adjoint<G>) {
      normalization::tell({by, cells.groups, !cells.lengths.empty(), epsilon}, dy,
                          grads.input(0, x), grads.input(1, gamma), grads);
    } else {
      dispatch_real("backward", dy.dtype(), [&]<class T>() {
        const auto k = kernel_of<T>(cells, x.get(), {gamma.get(), {}}, mean, scale);
        run_backward<T>(cells, k, by, epsilon, x.get(), dy, grads);
      });
    }
  }
  bool second(Second& second) const {
    return normalization::second({cells, by, mean, scale, x.get(), gamma.get()}, second);
  }
};

Tensor normalized(std::string_view op, const Cells& cells, const Tensor& x, double epsilon,
                  const Affine& affine, By by) {
  const Tensor y = rows::make(x.shape(), x.dtype(), x.mask());
  const Shape of_cells{cells.segments * cells.groups};
  // Of an empty segment they are read too, where all are looked at.
  const Tensor mean = rows::make_zeros(of_cells, x.dtype());
  const Tensor scale = rows::make_zeros(of_cells, x.dtype());
  dispatch_real(op, x.dtype(), [&]<class T>() {
    auto k = kernel_of<T>(cells, x, affine, mean, scale);
    T* to = rows::of_mutable<T>(y).data();
    const auto columns = k.columns();
    const bool whole_lines = Columns<T>::pays(cells);
    each_segment(cells, [&](std::int64_t s, std::int64_t) {
      if (whole_lines) columns.statistics(s, epsilon), columns.forward(s, to);
      for (std::int64_t g = 0; g < cells.groups; ++g) {
        if (whole_lines && columns.finite(s, g)) continue;
        k.statistics(s, g, by, epsilon);
        k.forward(s, g, to);
      }
    });
  });
  return record(op, y, {x, affine.gamma, affine.beta},
                Recorded{cells, by, epsilon, mean, scale, Saved(x), Saved(affine.gamma)});
}

}  // namespace

Tensor layer_normalize(const Tensor& x, double epsilon, const Affine& affine, bool center) {
  constexpr std::string_view op = "layer_normalize";
  check::normalize(op, x, epsilon, affine);
  if (x.is_meta()) return rows::make_meta(x.shape(), x.dtype(), x.mask());
  return normalized(op, lines_of(x), x, epsilon, affine, center ? By::variance : By::mean_square);
}

Tensor unit_normalize(const Tensor& x, double least) {
  constexpr std::string_view op = "unit_normalize";
  check::real(op, x);
  check::inner_axis(op, x, -1, "mask whole positions");
  if (!(least > 0)) fail<OptionError>(op, "least is {}; expected a number above 0", least);
  if (x.is_meta()) return rows::make_meta(x.shape(), x.dtype(), x.mask());
  const Tensor near = detail::squarable(x, least);
  return normalized(op, lines_of(near), near, least, {}, By::length);
}

Tensor group_normalize(const Tensor& x, std::int64_t groups, double epsilon, const Affine& affine) {
  constexpr std::string_view op = "group_normalize";
  check::normalize(op, x, epsilon, affine);
  const auto features = x.shape().back();
  if (groups < 1 || (features != any && (groups > features || features % groups != 0))) {
    fail<OptionError>(op, "{} groups for {}; expected a number that divides its features", groups,
                      x.describe());
  }
  if (x.is_meta()) return rows::make_meta(x.shape(), x.dtype(), x.mask());
  Cells cells{.features = features, .groups = groups, .firsts = {}, .lengths = {}};
  cells.segments = rows::total(x) / features;
  if (x.rank() == 2) return normalized(op, cells, x, epsilon, affine, By::variance);
  const auto sequences = sequences_of(x);
  const auto lines = x.shape().count(2, x.rank() - 1);  // of a step
  cells.segments = sequences.count();
  cells.firsts = Index(cells.segments);
  cells.lengths = Index(cells.segments);
  for (std::int64_t s = 0; s < cells.segments; ++s) {
    cells.firsts[s] = sequences.first[s] * lines;
    cells.lengths[s] = sequences.length[s] * lines;
  }
  return normalized(op, cells, x, epsilon, affine, By::variance);
}

}  // namespace maskgrad
