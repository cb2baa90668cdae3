#pragma once

#include <string_view>

#include <maskgrad/autograd/axes.hpp>
#include <maskgrad/core/kernels/reduce.hpp>
#include <maskgrad/core/rows.hpp>

namespace maskgrad {

/// What a reduction of `x` gives: its shape, its mask, and which stored values meet in which stored
/// result. A result in which fewer than `needs` values meet does not exist: it is masked, by a mask
/// over the mask axes that are left, which is dropped where it would be all true. What needs
/// nothing has no mask over reduced mask axes. Mask axes that are not reduced keep the mask.
class Reduced {
 public:
  Reduced(std::string_view op, const Tensor& x, const Axes& axes, bool keepdims,
          std::int64_t needs);

  /// A new tensor for the results, or a meta tensor where x is one.
  Tensor make(DType dtype) const;
  /// A new tensor like `x` to write its gradient into: zeros where some values meet in no result.
  Tensor make_gradient(DType dtype) const;

  Shape shape;
  Mask mask;
  kernels::Reduction plan;
  unsigned axes = 0;

 private:
  void split_inner(const Tensor& x);
  void rows_alone(std::string_view op, const Tensor& x, std::int64_t needs);
  void group_rows(const Mask& m, unsigned crossed, bool keepdims, std::int64_t needs);
  void order_rows(const Mask& m, unsigned crossed, const extend::Index& group_of);
  std::int64_t inside() const { return plan.lines.count * (plan.wide ? 1 : plan.run); }

  Shape x_shape_;
  Mask x_mask_;
  bool meta_ = false, covers_ = true;
};

}  // namespace maskgrad
