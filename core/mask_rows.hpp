#pragma once

#include <atomic>
#include <mutex>
#include <string>

#include <maskgrad/core/mask.hpp>

namespace maskgrad {

/// The rows of a mask, for kernel and operation authors. Row r is the r-th valid position in order.
struct Mask::Impl : detail::Counted {
  Shape shape;
  bool meta = false;      ///< shape and origin alone
  bool possible = false;  ///< meta: may be absent when there is data
  std::int64_t valid = 0;
  extend::Index positions;  ///< [valid] flat positions, rising
  extend::Index first,
      length;  ///< of each sequence (a line along the last axis): first row, valid steps
  std::string origin;

  /// [positions] row of each position, -1 where it is not valid; made at the first call.
  const extend::Index& row_of() const;

 private:
  mutable std::once_flag row_of_once_;
  mutable extend::Index row_of_;
};

inline const Mask::Impl& Mask::impl() const {
  return static_cast<const Impl&>(*impl_);
}

namespace masks {

/// Where a mask made now comes from: the running layer, else `otherwise`.
std::string origin_here(std::string_view otherwise);
/// From one truth value (0 or 1) for each position of `shape`.
Mask from_bits(std::span<const std::uint8_t> bits, const Shape& shape, std::string origin);
/// The first lengths[s] steps of sequence s, as Mask::from_lengths.
Mask from_lengths(std::span<const std::int64_t> lengths, std::int64_t time, std::string origin);
/// A mask without data, certain or possible.
Mask meta(const Shape& shape, std::string origin, bool possible = false);
bool is_meta(const Mask& m);
bool is_possible(const Mask& m);

/// The AND of both, each broadcast to `shape` (its axes aligned to the right end of `shape`).
/// Either may be no mask. The same mask twice is returned as it is.
Mask both(const Mask& a, const Mask& b, const Shape& shape);
/// `m` with its axes broadcast to `shape`, aligned right.
Mask broadcast(const Mask& m, const Shape& shape);
/// Positions start, start + step, ... (`size` of them) along `axis`.
Mask slice(const Mask& m, int axis, std::int64_t start, std::int64_t size, std::int64_t step);
/// Index `index` of `axis`; the axis ends.
Mask select(const Mask& m, int axis, std::int64_t index);
/// Axis i of the result is axis order[i].
Mask permute(const Mask& m, std::span<const int> order);
Mask reshape(const Mask& m, const Shape& shape);
/// Valid where any position of the reduced axes (a bit each) is valid. With `keep`, these axes stay
/// with size 1.
Mask any_over(const Mask& m, unsigned axes, bool keep);
/// One after the other along `axis`; a part without a mask is all valid, its sizes are its shape's.
Mask concatenate(std::span<const Mask> parts, std::span<const Shape> shapes, int axis);
/// All positions valid.
Mask all(const Shape& shape, std::string origin);

}  // namespace masks
}  // namespace maskgrad
