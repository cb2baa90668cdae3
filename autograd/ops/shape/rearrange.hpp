#pragma once

#include <array>
#include <string_view>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/core/kernels/strided.hpp>

/// What operations that only move values are made of: each gives a result whose values are values
/// of its input, or a fill, and sends the gradient back to where they came from. The caller has
/// checked shapes; all but regroup are for tensors with data.
namespace maskgrad::rearrange {

using Strides = std::array<std::int64_t, Shape::max_rank>;

/// Stored values as blocks over the first `axes` axes, which are the mask axes or more.
class Blocks {
 public:
  Blocks(const Tensor& x, int axes);

  std::int64_t count() const { return rows_ * tail_; }
  std::int64_t width() const { return width_; }
  /// The flat position of block `k` over these axes.
  std::int64_t position(std::int64_t k) const {
    return mask_ ? mask_.impl().positions[k / tail_] * tail_ + k % tail_ : k;
  }
  /// The block at a position, -1 where it is not valid.
  std::int64_t at(std::int64_t position) const {
    if (!mask_) return position;
    const auto row = mask_.impl().row_of()[position / tail_];
    return row < 0 ? -1 : row * tail_ + position % tail_;
  }
  /// The block at each valid position of `mask`, whose axes are these.
  Index under(const Mask& mask) const;

 private:
  Mask mask_;
  std::int64_t rows_, tail_, width_;
};

/// The mask of `x` over the first `axes` axes of `shape`, which are its mask axes or more.
Mask extended(const Tensor& x, const Shape& shape, int axes);

/// `[1, 0, 3]`: where stored value `at` stands.
std::string position_of(const Tensor& x, std::int64_t at);

/// The row under `from` of each row under `to`: position i of `to` is position
/// offset + sum(i * strides) of `from`; -1 where that is not valid.
Index row_map(const Mask& from, const Mask& to, const Strides& strides, std::int64_t offset);

/// The values of `x`, shared, under `shape`, of which the first `mask_rank` axes are the mask's.
Tensor regroup(std::string_view op, const Tensor& x, const Shape& shape, int mask_rank);
/// The same under a mask with as many valid positions times inner values.
Tensor regroup(std::string_view op, const Tensor& x, const Shape& shape, const Mask& mask);

/// Row r of the result is row from[r] of `x`, `fill` where there is none; each row of `x` at most
/// once.
Tensor take_rows(std::string_view op, const Tensor& x, const Index& from, const Shape& shape,
                 const Mask& mask, double fill = 0);

/// The inner axes of `x` as a view of themselves.
kernels::Strided inner_view(const Tensor& x);
/// Each row of the result is that row of `x` read through `view`; its inner shape is `inner`.
Tensor take_inner(std::string_view op, const Tensor& x, const kernels::Strided& view,
                  const Shape& inner);

/// Steps [from, from + size) of an axis, which become steps [to, to + size).
struct Band {
  std::int64_t from = 0, to = 0, size = 0;
};
/// An inner axis made anew with `size` steps: those of the bands, `fill` elsewhere.
Tensor take_bands(std::string_view op, const Tensor& x, int axis, std::int64_t size,
                  std::array<Band, 2> parts, double fill = 0);

}  // namespace maskgrad::rearrange
