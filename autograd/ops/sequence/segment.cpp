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
  if (x.has_mask() && x.mask().rank() > 2) {
    fail<MaskError>(op,
                    "{} has a mask over features; a step is in its segment as a whole. Mask "
                    "[batch, time], or fill single values with x.drop_mask(\"why\")",
                    x.describe());
  }
}

Index segment_of_steps(std::string_view op, const Segments& s, const Tensor& ids, std::int64_t n) {
  const auto time = ids.shape()[1];
  const bool by_step = s.x.has_mask() && s.x.mask().rank() == 2;
  const auto values = rows::of<std::int64_t>(ids);
  Index to(rows::total(ids));
  for (std::int64_t i = 0; i < to.size(); ++i) {
    const auto id = values[static_cast<std::size_t>(i)];
    if (id < 0 || id >= n) {
      fail<IndexError>(op, "id {} at position {} of {}; expected 0 <= id < {}, the segments", id,
                       rearrange::position_of(ids, i), ids.describe(), n);
    }
    to[i] = (by_step ? s.x.mask().impl().positions[i] : i) / time * n + id;
  }
  return to;
}

/// Checks; for tensors without data shape and masks alone.
Segments segments_of(std::string_view op, const Tensor& x, const Tensor& ids, std::int64_t n) {
  check_call(op, x, ids, n);
  Segments s{.x = ids.has_mask() ? with_mask(x, ids.mask()) : x,
             .shape = Shape{x.shape()[0], n} + x.shape().sub(2, x.rank())};
  const Mask& mask = s.x.mask();
  if (mask && mask.rank() < 2) s.kept = mask;
  s.meta = s.x.is_meta() || ids.is_meta();
  if (s.meta) return s;
  s.to = segment_of_steps(op, s, mask ? with_mask(ids, mask) : ids, n);
  s.width = x.shape().count(2, x.rank());
  const auto sequences =
      s.kept ? rows::count(s.x) * x.shape().count(s.kept.rank(), 1) : x.shape()[0];
  s.count = Index(sequences * n);
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
  const auto* row_of = s.kept && s.kept.rank() == 1 ? s.kept.impl().row_of().data() : nullptr;
  for (std::int64_t b = 0; b < over[0]; ++b) {
    const auto row = row_of ? row_of[b] : b;
    for (std::int64_t i = 0; row >= 0 && row * n < s.count.size() && i < n; ++i) {
      bits[static_cast<std::size_t>(b * n + i)] = s.count[row * n + i] > 0;
    }
  }
  const Mask mask = masks::from_bits(bits, over, masks::origin_here(op));
  return mask.all_valid() && !s.kept ? Mask() : mask;
}

Tensor sum_of(std::string_view op, const Segments& s) {
  const Tensor y = rows::make_zeros(s.shape, s.x.dtype(), s.kept);
  const auto targets = s.count.size();
  dispatch_real(op, y.dtype(), [&]<class T>() {
    kernels::scatter_add_rows(rows::of<T>(s.x).data(), s.to, s.width, targets,
                              rows::of_mutable<T>(y).data());
  });
  return record(op, y, {s.x}, [op, to = s.to, width = s.width](const Tensor& dy, Grads& grads) {
    dispatch_real(op, dy.dtype(), [&]<class T>() {
      kernels::gather_add_rows(rows::of<T>(dy).data(), to, width, grads.into<T>(0).data());
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

template <class T>
void share(const T* x, const T* y, const Index& to, std::int64_t width, const T* dy, T* ties,
           T* dx) {
  for (std::int64_t r = 0; r < to.size(); ++r) {
    for (std::int64_t i = 0; i < width; ++i) {
      ties[to[r] * width + i] += x[r * width + i] == y[to[r] * width + i] ? T(1) : T(0);
    }
  }
  for (std::int64_t r = 0; r < to.size(); ++r) {
    for (std::int64_t i = 0; i < width; ++i) {
      const auto at = to[r] * width + i;
      if (x[r * width + i] == y[at]) dx[r * width + i] += dy[at] / ties[at];
    }
  }
}

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
  return record(op, y, {s.x},
                [op, y, to, width = s.width, x = Saved(s.x)](const Tensor& dy, Grads& grads) {
                  dispatch_real(op, dy.dtype(), [&]<class T>() {
                    const Tensor ties = rows::make_zeros(dy.shape(), dy.dtype(), dy.mask());
                    share<T>(rows::of<T>(x.get()).data(), rows::of<T>(y).data(), to, width,
                             rows::of<T>(dy).data(), rows::of_mutable<T>(ties).data(),
                             grads.into<T>(0).data());
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
