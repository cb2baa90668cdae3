#include <maskgrad/autograd/ops/sequence/segment.hpp>

#include <algorithm>
#include <functional>
#include <limits>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/elementwise/where.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/autograd/ops/shape/rearrange.hpp>
#include <maskgrad/autograd/plans/sequences.hpp>
#include <maskgrad/core/checked.hpp>
#include <maskgrad/core/kernels/selected.hpp>

namespace maskgrad {
namespace {

/// A call's steps and their segments: x under the mask of x and ids.
struct Segments {
  Tensor x;
  Shape shape;        ///< of the result
  Mask kept = {};     ///< [batch], where x has no mask over time
  bool meta = false;  ///< without data there is nothing more
  Index to = {};      ///< [steps] the segment of each, counted over the sequences that are there
  Index count = {};   ///< [sequences that are there, n] steps of each segment
  std::int64_t width = 1;  ///< values of a step
};

void check_call(std::string_view op, const Tensor& x, const Tensor& ids, std::int64_t n) {
  check::real(op, x);
  check::ids(op, ids);
  check::rank(op, ids, 2, "[batch, time]");
  if (n < 1) fail<OptionError>(op, "{} segments for {}; expected 1 or more", n, x.describe());
  if (x.rank() < 2 || !fits(x.shape().sub(0, 2), ids.shape())) {
    fail<ShapeError>(op, "{} with ids {}; expected x [batch, time, ...] and ids [batch, time]",
                     x.describe(), ids.describe());
  }
  check::whole_steps(op, x, "features");
}

Index segment_of_steps(std::string_view op, const Sequences& sequences, const Tensor& ids,
                       std::int64_t n) {
  const auto values = rows::of<std::int64_t>(ids);
  Index to(sequences.rows);
  for (std::int64_t s = 0; s < sequences.count(); ++s) {
    const auto first = sequences.first[s], end = first + sequences.length[s];
    for (auto i = first; i < end; ++i) {
      const auto id = values[static_cast<std::size_t>(i)];
      if (id < 0 || id >= n) {
        fail<IndexError>(op, "id {} at position {} of {}; expected 0 <= id < {}, the segments", id,
                         rearrange::position_of(ids, i), ids.describe(), n);
      }
      to[i] = s * n + id;
    }
  }
  return to;
}

/// Checks; for tensors without data shape and masks alone.
Segments segments_of(std::string_view op, const Tensor& x, const Tensor& ids, std::int64_t n) {
  check_call(op, x, ids, n);
  Segments s{.x = ids.has_mask() ? with_mask(x, ids.mask()) : x,
             .shape = Shape{x.shape()[0], n} + x.shape().sub(2, x.rank())};
  s.kept = sample_mask(s.x);
  s.meta = s.x.is_meta() || ids.is_meta();
  if (s.meta) return s;
  const Sequences sequences = sequences_of(s.x);
  s.to = segment_of_steps(op, sequences, s.x.has_mask() ? with_mask(ids, s.x.mask()) : ids, n);
  s.width = x.shape().count(2, x.rank());
  s.count = Index(sequences.count() * n);
  std::fill(s.count.begin(), s.count.end(), 0);
  for (const auto to : s.to) ++s.count[to];
  return s;
}

/// The mask of what only a segment with steps has: [batch, n]; none where all have some.
Mask filled(std::string_view op, const Segments& s) {
  const Shape over = s.shape.sub(0, 2);
  if (s.meta) return masks::meta(over, masks::origin_here(op), !s.kept);
  auto bits = checked::vector<std::uint8_t>(op, over.count());
  const auto n = over[1];
  const Sequences samples = samples_of(s.x);
  const auto* count = s.count.data();
  for (std::int64_t b = 0; b < over[0]; ++b) {
    if (!samples.there(b)) continue;
    for (std::int64_t i = 0; i < n; ++i) bits[static_cast<std::size_t>(b * n + i)] = *count++ > 0;
  }
  const Mask mask = masks::from_bits(bits, over, masks::origin_here(op));
  return mask.all_valid() && !s.kept ? Mask() : mask;
}

Tensor sum_of(std::string_view op, const Segments& s) {
  const auto added = [op, to = s.to, width = s.width, targets = s.count.size(), shape = s.shape,
                      kept = s.kept](const Tensor& values) {
    const Tensor y = rows::make_zeros(shape, values.dtype(), kept);
    dispatch_real(op, y.dtype(), [&]<class T>() {
      kernels::scatter_add_rows(rows::of<T>(values).data(), to, width, targets,
                                rows::of_mutable<T>(y).data());
    });
    return y;
  };
  return record_linear(op, added(s.x), {s.x}, added,
                       [op, to = s.to, width = s.width](const Tensor& dy, Grads& grads) {
                         dispatch_real(op, dy.dtype(), [&]<class T>() {
                           kernels::gather_add_rows(rows::of<T>(dy).data(), to, width,
                                                    grads.into<T>(0).data());
                         });
                       });
}

bool all_finite(const Tensor& x) {
  return dispatch_real("segment_mean", x.dtype(), [&]<class T>() {
    return kernels::all_finite_of(rows::of<T>(x).data(), rows::total(x));
  });
}

/// The rows of a result under `mask` by segment, -1 where one has none.
Index rows_of(const Segments& s, const Mask& mask) {
  Index row(s.count.size());
  std::int64_t next = 0;
  for (std::int64_t i = 0; i < row.size(); ++i) row[i] = !mask || s.count[i] > 0 ? next++ : -1;
  return row;
}

/// y row to[r] = the greater (or lesser) of it and x row r, value by value; NaN where there is one.
template <class Better, class T>
void best_of(const T* x, const Index& to, std::int64_t width, T* y) {
  for (std::int64_t r = 0; r < to.size(); ++r) {
    for (std::int64_t i = 0; i < width; ++i) {
      T& best = y[to[r] * width + i];
      const T v = x[r * width + i];
      best = Better{}(v, best) || v != v ? v : best;
    }
  }
}

/// Which steps have their segment's extreme.
struct Extremes {
  Tensor y;
  Saved x;
  Index to;
  std::int64_t width;

  /// Calls f(place in x, place in y, how many steps tie there) for each.
  template <class T, class F>
  void each(F&& f) const {
    const T *px = rows::of<T>(x.get()).data(), *py = rows::of<T>(y).data();
    Pooled<T> ties(rows::total(y));
    std::fill(ties.begin(), ties.end(), T(0));
    const auto over = [&](auto&& g) {
      for (std::int64_t r = 0; r < to.size(); ++r) {
        for (std::int64_t i = 0; i < width; ++i) {
          const auto at = to[r] * width + i;
          if (px[r * width + i] == py[at]) g(r * width + i, at);
        }
      }
    };
    over([&](std::int64_t, std::int64_t at) { ties[at] += 1; });
    over([&](std::int64_t from, std::int64_t at) { f(from, at, ties[at]); });
  }
};

/// Of all steps of a segment the one that is Better; `worst` is what no value is worse than.
template <class Better>
Tensor extreme(std::string_view op, const Tensor& x, const Tensor& ids, std::int64_t n,
               double worst) {
  const Segments s = segments_of(op, x, ids, n);
  const Mask mask = filled(op, s);
  if (s.meta) return rows::make_meta(s.shape, x.dtype(), mask);
  const Tensor y = rows::make(s.shape, x.dtype(), mask);
  const Index row = rows_of(s, mask);
  Index to(s.to.size());
  for (std::int64_t r = 0; r < to.size(); ++r) to[r] = row[s.to[r]];
  dispatch_real(op, x.dtype(), [&]<class T>() {
    std::ranges::fill(rows::of_mutable<T>(y), static_cast<T>(worst));
    best_of<Better, T>(rows::of<T>(s.x).data(), to, s.width, rows::of_mutable<T>(y).data());
  });
  // Between kinks it is the mean of those that tie.
  const Extremes at{y, Saved(s.x), to, s.width};
  return record_linear(
      op, y, {s.x},
      [op, at](const Tensor& g) {
        const Tensor means = rows::make_zeros(at.y.shape(), at.y.dtype(), at.y.mask());
        dispatch_real(op, g.dtype(), [&]<class T>() {
          const T* values = rows::of<T>(g).data();
          T* mean = rows::of_mutable<T>(means).data();
          at.each<T>([=](auto from, auto place, T ties) { mean[place] += values[from] / ties; });
        });
        return means;
      },
      [op, at](const Tensor& dy, Grads& grads) {
        dispatch_real(op, dy.dtype(), [&]<class T>() {
          const T* up = rows::of<T>(dy).data();
          T* dx = grads.into<T>(0).data();
          at.each<T>([=](auto from, auto place, T ties) { dx[from] += up[place] / ties; });
        });
      });
}

}  // namespace

Tensor segment_sum(const Tensor& x, const Tensor& ids, std::int64_t n) {
  constexpr std::string_view op = "segment_sum";
  const Segments s = segments_of(op, x, ids, n);
  if (s.meta) return rows::make_meta(s.shape, x.dtype(), s.kept);
  return sum_of(op, s);
}

Tensor segment_mean(const Tensor& x, const Tensor& ids, std::int64_t n) {
  constexpr std::string_view op = "segment_mean";
  Segments s = segments_of(op, x, ids, n);
  const Mask mask = filled(op, s);
  if (s.meta) return rows::make_meta(s.shape, x.dtype(), mask);
  Shape counts{s.shape[0], n};
  while (counts.rank() < s.shape.rank()) counts.push_back(1);
  const Tensor count = rows::make(counts, x.dtype(), s.kept);
  dispatch_real(op, x.dtype(), [&]<class T>() {
    std::copy(s.count.begin(), s.count.end(), rows::of_mutable<T>(count).begin());
  });
  const auto mean_of = [&](const Tensor& total) {
    return mask ? with_mask(total, mask) / with_mask(count, mask) : total / count;
  };
  const Tensor mean = mean_of(sum_of(op, s));
  if (all_finite(mean)) return mean;
  // A sum on the way may be beyond the type where the mean is not.
  s.x = s.x * 0x1p-64;
  return where(isfinite(mean), mean, mean_of(sum_of(op, s)) * 0x1p64);
}

Tensor segment_max(const Tensor& x, const Tensor& ids, std::int64_t n) {
  return extreme<std::greater<>>("segment_max", x, ids, n,
                                 -std::numeric_limits<double>::infinity());
}

Tensor segment_min(const Tensor& x, const Tensor& ids, std::int64_t n) {
  return extreme<std::less<>>("segment_min", x, ids, n, std::numeric_limits<double>::infinity());
}

}  // namespace maskgrad
