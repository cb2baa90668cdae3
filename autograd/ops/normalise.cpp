#include <maskgrad/autograd/ops/normalise.hpp>

#include <cmath>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/normalise_check.hpp>
#include <maskgrad/autograd/sequences.hpp>
#include <maskgrad/core/kernels/add_to.hpp>
#include <maskgrad/core/kernels/selected.hpp>
#include <maskgrad/core/kernels/simd/lines.hpp>
#include <maskgrad/core/pooled.hpp>

namespace maskgrad {

void check::normalise(std::string_view op, const Tensor& x, double epsilon, const Affine& affine) {
  check::real(op, x);
  if (!(epsilon > 0)) {
    fail<OptionError>(op, "epsilon is {}; expected a number above 0", epsilon);
  }
  if (x.rank() < 2) {
    fail<ShapeError>(op, "got {}; expected [batch, ..., features]", x.describe());
  }
  if (rows::mask_rank(x) == x.rank()) {
    fail<MaskError>(op,
                    "got {}, whose mask covers the features that meet here; use a mask over whole "
                    "steps, or x.drop_mask(\"why\", fill)",
                    x.describe());
  }
  for (const Tensor* t : {&affine.gamma, &affine.beta}) {
    if (!t->defined()) continue;
    check::same_dtype(op, x, *t);
    if (t->has_mask() || t->rank() != 1 || !fits(t->shape()[0], x.shape().back())) {
      fail<ShapeError>(op, "gamma or beta is {} for {}; expected [features]", t->describe(),
                       x.describe());
    }
  }
}

namespace {

/// What a cell is divided by, and whether its mean is taken off before.
enum class By { variance, mean_square, length };

/// Lines of features that are normalised together: segment s is lines first(s) ... + length(s), and
/// each group of its features by itself.
struct Cells {
  std::int64_t segments = 0, features = 0, groups = 1;
  Index firsts, lengths;  ///< none: a segment is a line
  std::int64_t first(std::int64_t s) const { return firsts.empty() ? s : firsts[s]; }
  std::int64_t length(std::int64_t s) const { return lengths.empty() ? 1 : lengths[s]; }
  std::int64_t width() const { return features / groups; }
  std::int64_t shards() const {
    std::int64_t lines = segments;
    if (!lengths.empty() && segments > 0) lines = firsts[segments - 1] + lengths[segments - 1];
    return std::min(std::max<std::int64_t>(segments, 1),
                    shard_count(lines * features, kernels::elementwise_grain));
  }
};

/// Each line by itself.
Cells lines_of(const Tensor& x) {
  Cells cells;
  cells.features = x.shape().back();
  cells.segments = cells.features == 0 ? 0 : rows::total(x) / cells.features;
  return cells;
}

/// f(place of the first value, number) for the pieces of a cell, a line each.
template <class F>
void each_line(const Cells& c, std::int64_t segment, std::int64_t group, F&& f) {
  const auto first = c.first(segment), w = c.width();
  for (std::int64_t line = first; line < first + c.length(segment); ++line) {
    f(line * c.features + group * w);
  }
}

template <class T>
struct Kernel {
  const Cells& c;
  const T *x, *gamma, *beta;  // null: none
  T *mean, *scale;            // of each cell

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
  }

  void forward(std::int64_t s, std::int64_t g, T* y) const {
    const T m = mean[s * c.groups + g], r = scale[s * c.groups + g];
    const auto w = c.width();
    each_line(c, s, g, [&](std::int64_t at) {
      lines().normalise(x + at, m, r, part(gamma, g), part(beta, g), y + at, w);
    });
  }

  /// dx = scale (d - mean(d) - normal mean(d normal)) with d = dy gamma; the sums for gamma and
  /// beta go to `of_gamma` and `of_beta`. By the length it is their sum, not a mean.
  void backward(std::int64_t s, std::int64_t g, By by, double epsilon, const T* dy, T* dx,
                double* of_gamma, double* of_beta) const {
    const T m = mean[s * c.groups + g], r = scale[s * c.groups + g];
    const auto w = c.width();
    if (!reads(s, g, m, r, dy)) {
      if (dx) each_line(c, s, g, [&](std::int64_t at) { std::fill_n(dx + at, w, T(0)); });
      return;
    }
    double of_d = 0, of_normal = 0;
    each_line(c, s, g, [&](std::int64_t at) {
      const auto sums = lines().normalise_sums(x + at, m, r, part(gamma, g), dy + at,
                                               of_gamma + g * w, of_beta + g * w, w);
      of_d += sums.of_d;
      of_normal += sums.of_normal;
    });
    if (!dx) return;
    const double n = by == By::length ? 1 : static_cast<double>(c.length(s) * w);
    const bool least = by == By::length && r >= static_cast<T>(1 / epsilon);  // a constant
    const T mean_d = by == By::variance ? static_cast<T>(of_d / n) : T(0);
    const T mean_normal = least ? T(0) : static_cast<T>(of_normal / n);
    each_line(c, s, g, [&](std::int64_t at) {
      lines().normalise_gradient(x + at, m, r, part(gamma, g), dy + at, mean_d, mean_normal,
                                 dx + at, w);
    });
  }

 private:
  /// Whether there is anything to read: not where no gradient comes to a cell that is not finite.
  bool reads(std::int64_t s, std::int64_t g, T m, T r, const T* dy) const {
    if (std::isfinite(m) && std::isnormal(r)) return true;
    bool zero = true;
    each_line(c, s, g,
              [&](std::int64_t at) { zero = zero && kernels::all_zero(dy + at, c.width()); });
    return !zero;
  }
  static const kernels::simd::Lines<T>& lines() { return kernels::simd::lines<T>(); }
  /// Gamma or beta of a group.
  const T* part(const T* of_all, std::int64_t g) const {
    return of_all ? of_all + g * c.width() : nullptr;
  }
};

/// f(segment, group, shard) over all cells, in fixed shards of segments.
template <class F>
void each_cell(const Cells& c, F&& f) {
  const auto shards = c.shards();
  parallel_for(shards, [&](std::int64_t shard) {
    const auto end = shard_begin(c.segments, shards, shard + 1);
    for (auto s = shard_begin(c.segments, shards, shard); s < end; ++s) {
      if (c.length(s) == 0) continue;
      for (std::int64_t g = 0; g < c.groups; ++g) f(s, g, shard);
    }
  });
}

template <class T>
const T* data_of(const Tensor& x) {
  return x.defined() ? rows::of<T>(x).data() : nullptr;
}

template <class T>
Kernel<T> kernel_of(const Cells& cells, const Tensor& x, const Affine& affine, const Tensor& mean,
                    const Tensor& scale) {
  return {cells,
          data_of<T>(x),
          data_of<T>(affine.gamma),
          data_of<T>(affine.beta),
          rows::of_mutable<T>(mean).data(),
          rows::of_mutable<T>(scale).data()};
}

/// The sums of all shards, in their order, as a gradient [features].
template <class T>
Tensor joined(const Pooled<double>& sums, std::int64_t shards, std::int64_t features) {
  const Tensor total = rows::make({features}, dtype_of<T>());
  T* to = rows::of_mutable<T>(total).data();
  for (std::int64_t f = 0; f < features; ++f) {
    double s = 0;
    for (std::int64_t shard = 0; shard < shards; ++shard) s += sums[shard * features + f];
    to[f] = static_cast<T>(s);
  }
  return total;
}

template <class T>
void run_backward(const Cells& c, Kernel<T> kernel, By by, double epsilon, const Tensor& like,
                  const Tensor& dy, Grads& grads) {
  const auto shards = c.shards();
  Pooled<double> of_gamma(shards * c.features), of_beta(shards * c.features);
  std::fill(of_gamma.begin(), of_gamma.end(), 0.0);
  std::fill(of_beta.begin(), of_beta.end(), 0.0);
  const Tensor dx = grads.wants(0) ? rows::make(like.shape(), like.dtype(), like.mask()) : Tensor();
  T* to = dx.defined() ? rows::of_mutable<T>(dx).data() : nullptr;
  const T* up = rows::of<T>(dy).data();
  each_cell(c, [&](std::int64_t s, std::int64_t g, std::int64_t shard) {
    kernel.backward(s, g, by, epsilon, up, to, &of_gamma[shard * c.features],
                    &of_beta[shard * c.features]);
  });
  if (dx.defined()) grads.add(0, dx);
  if (grads.wants(1)) grads.add(1, joined<T>(of_gamma, shards, c.features));
  if (grads.wants(2)) grads.add(2, joined<T>(of_beta, shards, c.features));
}

Tensor normalised(std::string_view op, const Cells& cells, const Tensor& x, double epsilon,
                  const Affine& affine, By by) {
  const Tensor y = rows::make(x.shape(), x.dtype(), x.mask());
  const Shape of_cells{cells.segments * cells.groups};
  const Tensor mean = rows::make(of_cells, x.dtype()), scale = rows::make(of_cells, x.dtype());
  dispatch_real(op, x.dtype(), [&]<class T>() {
    auto k = kernel_of<T>(cells, x, affine, mean, scale);
    T* to = rows::of_mutable<T>(y).data();
    each_cell(cells, [&](std::int64_t s, std::int64_t g, std::int64_t) {
      k.statistics(s, g, by, epsilon);
      k.forward(s, g, to);
    });
  });
  return record(op, y, {x, affine.gamma, affine.beta},
                [cells, mean, scale, by, epsilon, x = Saved(x), gamma = Saved(affine.gamma)](
                    const Tensor& dy, Grads& grads) {
                  dispatch_real("backward", dy.dtype(), [&]<class T>() {
                    const auto k = kernel_of<T>(cells, x.get(), {gamma.get(), {}}, mean, scale);
                    run_backward<T>(cells, k, by, epsilon, x.get(), dy, grads);
                  });
                });
}

}  // namespace

Tensor layer_normalise(const Tensor& x, double epsilon, const Affine& affine, bool centre) {
  constexpr std::string_view op = "layer_normalise";
  check::normalise(op, x, epsilon, affine);
  if (x.is_meta()) return rows::make_meta(x.shape(), x.dtype(), x.mask());
  return normalised(op, lines_of(x), x, epsilon, affine, centre ? By::variance : By::mean_square);
}

Tensor unit_normalise(const Tensor& x, double least) {
  constexpr std::string_view op = "unit_normalise";
  check::real(op, x);
  check::inner_axis(op, x, -1, "mask whole positions");
  if (!(least > 0)) fail<OptionError>(op, "least is {}; expected a number above 0", least);
  if (x.is_meta()) return rows::make_meta(x.shape(), x.dtype(), x.mask());
  return normalised(op, lines_of(x), x, least, {}, By::length);
}

Tensor group_normalise(const Tensor& x, std::int64_t groups, double epsilon, const Affine& affine) {
  constexpr std::string_view op = "group_normalise";
  check::normalise(op, x, epsilon, affine);
  const auto features = x.shape().back();
  if (groups < 1 || (features != any && (groups > features || features % groups != 0))) {
    fail<OptionError>(op, "{} groups for {}; expected a number that divides its features", groups,
                      x.describe());
  }
  if (x.is_meta()) return rows::make_meta(x.shape(), x.dtype(), x.mask());
  Cells cells;
  cells.features = features;
  cells.groups = groups;
  if (x.rank() == 2) {
    cells.segments = rows::total(x) / features;
    return normalised(op, cells, x, epsilon, affine, By::variance);
  }
  const auto sequences = sequences_of(x);
  const auto lines = x.shape().count(2, x.rank() - 1);  // of a step
  cells.segments = sequences.count();
  cells.firsts = Index(cells.segments);
  cells.lengths = Index(cells.segments);
  for (std::int64_t s = 0; s < cells.segments; ++s) {
    cells.firsts[s] = sequences.first[s] * lines;
    cells.lengths[s] = sequences.length[s] * lines;
  }
  return normalised(op, cells, x, epsilon, affine, By::variance);
}

}  // namespace maskgrad
