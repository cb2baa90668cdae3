#pragma once

#include <string>
#include <vector>

#include <maskgrad/core/rows.hpp>

namespace maskgrad {

/// Several inputs, or several results.
using Tensors = std::vector<Tensor>;

/// The input of a model before there is data: a shape in which `any` stands for free sizes, a type,
/// and the mask that it will carry, if any.
class Spec {
 public:
  static Spec f32(const Shape& shape) { return Spec(shape, DType::f32); }
  static Spec f64(const Shape& shape) { return Spec(shape, DType::f64); }
  /// Ids and class numbers, i64.
  static Spec ids(const Shape& shape) { return Spec(shape, DType::i64); }

  /// The input will carry a mask over its first `axes` axes. ShapeError where it has fewer.
  Spec masked(int axes) const;
  /// The meta tensor that stands for the input.
  Tensor meta() const;
  const Shape& shape() const { return shape_; }
  DType dtype() const { return dtype_; }
  int mask_axes() const { return mask_axes_; }

 private:
  Spec(const Shape& shape, DType dtype) : shape_(shape), dtype_(dtype) {}

  Shape shape_;
  DType dtype_;
  int mask_axes_ = -1;
};

}  // namespace maskgrad
