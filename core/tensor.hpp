#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <maskgrad/core/dtype.hpp>
#include <maskgrad/core/mask.hpp>

namespace maskgrad {

struct BackwardOptions {
  /// What leaves hold is on the tape itself, and can be differentiated again. It keeps the tape, in
  /// a circle, until the leaves' gradients are cleared; `gradients` (autograd/gradients.hpp) does
  /// not.
  bool create_graph = false;
  bool retain = false;  ///< the tape can be used again; so it can with create_graph
};

/// An immutable array of values with, where it has one, a mask over its leading axes. A masked
/// tensor stores its valid rows alone: there is no padding, so nothing can leak from it. Shapes,
/// indices and printing are those of the padded array. Copies share the values.
class Tensor {
 public:
  Tensor() = default;

  bool defined() const { return static_cast<bool>(impl_); }
  const Shape& shape() const;
  int rank() const { return shape().rank(); }
  /// Size of an axis; negative ones count from the back.
  std::int64_t size(int axis) const;
  DType dtype() const;
  bool has_mask() const { return static_cast<bool>(mask()); }
  /// No mask (false in an `if`) where there is none.
  const Mask& mask() const;
  /// A shape, type and mask without data, as models are built from.
  bool is_meta() const;

  /// The one value of a tensor of one position. MaskError where it is not valid.
  double item() const;
  /// The value at a position. MaskError where it is not valid; IndexError out of range.
  double item(std::initializer_list<std::int64_t> index) const;
  /// All values in order, dense; `fill` stands where the mask is false. TypeError where T is not
  /// the tensor's type.
  template <extend::Element T>
  std::vector<T> to_vector(T fill = T{}) const;
  /// The values, masked positions shown as `--`, then type, shape and mask.
  std::string str() const;
  /// `f32[34, 1000, 16], mask [34, 1000] made by Masking 'masking_1'`.
  std::string describe() const;

  // Recorded on the tape (defined in autograd).
  /// The same values under a mask whose shape is a prefix of the tensor's; AND where there is one.
  /// The gradient is zero where the mask is false. MaskError where the shapes do not fit.
  Tensor with_mask(const Mask& mask) const;
  /// The dense tensor with `fill` where the mask was false; `reason` says why padding may be data.
  Tensor drop_mask(std::string_view reason, double fill = 0) const;
  /// A leaf of the tape that shares the values and gathers a gradient.
  Tensor with_grad() const;
  /// What backward gathered for a leaf; undefined where nothing reached it.
  Tensor grad() const;
  void clear_grad() const;
  bool on_tape() const { return static_cast<bool>(node_); }
  /// Gradients of this scalar for every leaf behind it, added to what they hold. GradError where it
  /// is no scalar, is not on the tape, or was already used.
  void backward(const BackwardOptions& options = {}) const;

  struct Impl;
  /// For operation authors: the value, its place on the tape, and a handle made of both.
  const Impl& impl() const;
  const detail::Ref<detail::Counted>& node() const { return node_; }
  std::uint32_t slot() const { return slot_; }
  Tensor value() const { return Tensor(impl_); }
  explicit Tensor(detail::Ref<const detail::Counted> impl, detail::Ref<detail::Counted> node = {},
                  std::uint32_t slot = 0)
      : impl_(std::move(impl)), node_(std::move(node)), slot_(slot) {}

 private:
  const Impl& checked() const;

  detail::Ref<const detail::Counted> impl_;
  detail::Ref<detail::Counted> node_;
  std::uint32_t slot_ = 0;
};

/// `values` in order as a tensor of `shape`. ShapeError where their number does not fit.
/// Example:  mg::tensor({1.0f, 2.0f, 3.0f, 4.0f}, {2, 2});
template <extend::Element T>
Tensor tensor(std::span<const T> values, const Shape& shape);
template <extend::Element T>
Tensor tensor(const std::vector<T>& values, const Shape& shape) {
  if constexpr (std::is_same_v<T, bool>) {
    const auto copy = std::make_unique<bool[]>(values.size());
    std::copy(values.begin(), values.end(), copy.get());
    return tensor(std::span<const bool>(copy.get(), values.size()), shape);
  } else {
    return tensor(std::span<const T>(values), shape);
  }
}
template <extend::Element T>
Tensor tensor(std::initializer_list<T> values, const Shape& shape) {
  return tensor(std::span<const T>(values.begin(), values.size()), shape);
}
/// One value, shape [].
/// Example:  mg::full({2, 3}, 0.5);  // f32 [2, 3]
Tensor scalar(double value, DType dtype = DType::f32);
Tensor full(const Shape& shape, double value, DType dtype = DType::f32);
Tensor zeros(const Shape& shape, DType dtype = DType::f32);
Tensor ones(const Shape& shape, DType dtype = DType::f32);
/// With the shape, type and mask of x.
/// Example:  mg::ones_like(x);
Tensor zeros_like(const Tensor& x);
Tensor ones_like(const Tensor& x);
/// 0, 1, ... count - 1.
/// Example:  mg::arange(3, mg::DType::f32);  // 0 1 2
Tensor arange(std::int64_t count, DType dtype = DType::i64);

/// Sequences of unequal length as one masked tensor [sequences, longest, step...]; each holds its
/// steps one after the other, `step` values a step. No padding is made. ShapeError, naming the
/// sequence, where a length is not a whole number of steps.
/// Example:  mg::from_sequences<float>({{1, 2, 3, 4}, {5, 6}}, {2});  // [2, 2, 2]: 2 and 1 steps
template <extend::Element T>
Tensor from_sequences(const std::vector<std::vector<T>>& sequences, const Shape& step = {});

}  // namespace maskgrad
