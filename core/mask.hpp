#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include <maskgrad/core/pooled.hpp>
#include <maskgrad/core/ref.hpp>
#include <maskgrad/core/shape.hpp>

namespace maskgrad {

class Tensor;

/// Which positions of a tensor are valid: true = valid, always. Immutable; copies share it.
/// Its shape is a prefix of the tensor's. A default-made Mask is no mask: `if (mask)` is false.
/// A mask of a meta tensor has a shape and an origin alone.
/// Example:  const mg::Mask steps = mg::Mask::from_lengths({5, 3, 1, 4});  // [4, 5]
///           steps.valid();  // 13
class Mask {
 public:
  Mask() = default;

  /// The positions where `valid` is true. Throws ShapeError where the sizes do not fit.
  static Mask keep(const std::vector<bool>& valid, const Shape& shape);
  static Mask keep(std::initializer_list<std::initializer_list<bool>> valid);
  static Mask keep(const Tensor& valid);
  /// The positions where `padding` is false.
  static Mask drop(const std::vector<bool>& padding, const Shape& shape);
  static Mask drop(const Tensor& padding);
  /// [lengths.size(), time]: the first lengths[s] steps of sequence s. Without `time`, the longest
  /// length. Throws ShapeError, naming the sequence, for a length below 0 or above `time`.
  static Mask from_lengths(std::span<const std::int64_t> lengths, std::int64_t time = any);
  static Mask from_lengths(std::initializer_list<std::int64_t> lengths, std::int64_t time = any);
  /// Keras's Masking: a step of x [..., features] is valid where any of its features differs from
  /// `value`; the value NaN marks steps whose features are all NaN. Mask [...]; a step that is
  /// masked already stays so. Throws ShapeError for a mask over features.
  static Mask where_any_differs(const Tensor& x, double value);

  explicit operator bool() const { return static_cast<bool>(impl_); }
  const Shape& shape() const;
  int rank() const { return shape().rank(); }
  /// Number of valid positions.
  std::int64_t valid() const;
  bool all_valid() const { return valid() == shape().count(); }
  /// Whether the position is valid; ShapeError or IndexError for one that is not in the shape.
  bool at(std::initializer_list<std::int64_t> position) const;
  /// Every position, in order.
  std::vector<bool> to_vector() const;
  /// Valid steps of each sequence, [product of the axes before the last].
  std::vector<std::int64_t> lengths() const;
  /// Where it was made: `Masking 'masking_1'`, `Mask::from_lengths`, `a AND b`.
  const std::string& origin() const;
  bool operator==(const Mask& other) const;

  struct Impl;
  /// The rows, for kernel and operation authors: core/mask_rows.hpp.
  const Impl& impl() const;
  bool same(const Mask& other) const { return impl_ == other.impl_; }
  explicit Mask(detail::Ref<const detail::Counted> impl) : impl_(std::move(impl)) {}

 private:
  detail::Ref<const detail::Counted> impl_;
};

}  // namespace maskgrad
