#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include <maskgrad/core/kernels/rows_copy.hpp>
#include <maskgrad/core/shape.hpp>

namespace maskgrad::kernels {

/// Places in an array: index i of `shape` stands at offset + sum(i * strides).
struct Strided {
  Shape shape;
  std::array<std::int64_t, Shape::max_rank> strides{};
  std::int64_t offset = 0;
};

/// A Strided in each of `rows` rows, `row_stride` apart, cut into runs along the last axis; axes
/// that lie side by side are one.
class StridedRuns {
 public:
  StridedRuns(const Strided& view, std::int64_t rows, std::int64_t row_stride)
      : offset_(view.offset) {
    append(rows, row_stride);
    for (int i = 0; i < view.shape.rank(); ++i) {
      append(view.shape[i], view.strides[static_cast<std::size_t>(i)]);
    }
    if (axes_ == 0) append_axis(1, 1);
  }

  /// Calls f(flat, at, count, stride): values flat ... flat + count - 1 of the indices in order
  /// stand at, at + stride, ... Threads share no place, also where strides are 0.
  template <class F>
  void each(F&& f) const {
    const auto last = static_cast<std::size_t>(axes_ - 1);
    std::int64_t apart = 1, together = 1;  // runs that threads may take, and runs of each
    for (std::size_t i = 0; i < last; ++i) {
      auto& part = together > 1 || strides_[i] == 0 ? together : apart;
      part *= sizes_[i];
    }
    over_rows(apart, together * sizes_[last],
              [&](std::int64_t from, std::int64_t to) { walk(from * together, to * together, f); });
  }

 private:
  static constexpr std::size_t most = Shape::max_rank + 1;

  void append(std::int64_t size, std::int64_t stride) {
    if (size == 1) return;
    const auto last = static_cast<std::size_t>(axes_ - 1);
    if (axes_ > 0 && size > 0 && strides_[last] == stride * size) {
      sizes_[last] *= size;
      strides_[last] = stride;
    } else {
      append_axis(size, stride);
    }
  }
  void append_axis(std::int64_t size, std::int64_t stride) {
    sizes_[static_cast<std::size_t>(axes_)] = size;
    strides_[static_cast<std::size_t>(axes_)] = stride;
    ++axes_;
  }

  template <class F>
  void walk(std::int64_t run, std::int64_t end, F& f) const {
    const auto last = static_cast<std::size_t>(axes_ - 1);
    std::array<std::int64_t, most> index{};
    if (sizes_[last] == 0) return;
    std::int64_t at = offset_;
    auto left = run;
    for (auto i = last; i-- > 0;) {
      if (sizes_[i] == 0) return;
      index[i] = left % sizes_[i];
      left /= sizes_[i];
      at += index[i] * strides_[i];
    }
    for (; run < end; ++run) {
      f(run * sizes_[last], at, sizes_[last], strides_[last]);
      for (auto i = last; i-- > 0;) {
        at += strides_[i];
        if (++index[i] < sizes_[i]) break;
        at -= strides_[i] * sizes_[i];
        index[i] = 0;
      }
    }
  }

  std::array<std::int64_t, most> sizes_{}, strides_{};
  int axes_ = 0;
  std::int64_t offset_;
};

/// y = x at the places of `runs`, in order.
template <class T>
void read_strided(const StridedRuns& runs, const T* x, T* y) {
  runs.each([=](std::int64_t flat, std::int64_t at, std::int64_t count, std::int64_t stride) {
    if (stride == 1) {
      std::copy_n(x + at, count, y + flat);
    } else {
      for (std::int64_t i = 0; i < count; ++i) y[flat + i] = x[at + i * stride];
    }
  });
}

/// y at the places of `runs` = x, in order.
template <class T>
void write_strided(const StridedRuns& runs, const T* x, T* y) {
  runs.each([=](std::int64_t flat, std::int64_t at, std::int64_t count, std::int64_t stride) {
    if (stride == 1) {
      std::copy_n(x + flat, count, y + at);
    } else {
      for (std::int64_t i = 0; i < count; ++i) y[at + i * stride] = x[flat + i];
    }
  });
}

/// y at the places of `runs` += x, in order.
template <class T>
void add_strided(const StridedRuns& runs, const T* x, T* y) {
  runs.each([=](std::int64_t flat, std::int64_t at, std::int64_t count, std::int64_t stride) {
    for (std::int64_t i = 0; i < count; ++i) y[at + i * stride] += x[flat + i];
  });
}

/// `runs` runs of `count` values, copied from places x_stride apart to places y_stride apart.
template <class T>
void copy_runs(std::int64_t runs, std::int64_t count, const T* x, std::int64_t x_stride, T* y,
               std::int64_t y_stride) {
  over_rows(runs, count, [=](std::int64_t r, std::int64_t end) {
    for (; r < end; ++r) std::copy_n(x + r * x_stride, count, y + r * y_stride);
  });
}

/// The same, added.
template <class T>
void add_runs(std::int64_t runs, std::int64_t count, const T* x, std::int64_t x_stride, T* y,
              std::int64_t y_stride) {
  over_rows(runs, count, [=](std::int64_t r, std::int64_t end) {
    for (; r < end; ++r) add_row(x + r * x_stride, count, y + r * y_stride);
  });
}

}  // namespace maskgrad::kernels
