#include <maskgrad/autograd/ops/reduce/standardize.hpp>

#include <algorithm>
#include <cmath>

#include <maskgrad/autograd/mode.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/core/rows.hpp>

namespace maskgrad {
namespace {

/// Of f64 whose squares overflow, a power of 2 for each variance; undefined where none does.
Tensor scale_of(const Tensor& centered, const Axes& axes) {
  if (centered.is_meta() || centered.dtype() != DType::f64) return {};
  const NoGrad no_grad;
  const auto far = [](double v) { return std::abs(v) > 0x1p500; };
  const auto values = rows::of<double>(centered);
  if (std::none_of(values.begin(), values.end(), far)) return {};
  Tensor scale = max(abs(centered.value()), axes, true) * 1.0;
  for (double& v : rows::of_mutable<double>(scale)) v = far(v) ? 0x1p-600 : 1;
  return scale;
}

}  // namespace

Tensor standardize(const Tensor& x, const Axes& axes, double epsilon) {
  if (!(epsilon > 0)) {
    fail<OptionError>("standardize", "epsilon is {}; expected a number above 0", epsilon);
  }
  if (!x.is_meta() && rows::total(x) == 0) return x;
  const Tensor centered = x - mean(x, axes, true), scale = scale_of(centered, axes);
  if (!scale.defined()) return centered * rsqrt(mean(square(centered), axes, true) + epsilon);
  const Tensor near = centered * scale;
  return near * rsqrt(mean(square(near), axes, true) + square(scale) * epsilon);
}

Tensor standardize(const Tensor& x) {
  if (x.rank() < 2) {
    fail<ShapeError>("standardize", "got {}; expected [..., features], or the axes to run over",
                     x.describe());
  }
  std::vector<int> axes;
  for (int i = 0; i + 1 < x.rank(); ++i) axes.push_back(i);
  return standardize(x, Axes(axes));
}

}  // namespace maskgrad
