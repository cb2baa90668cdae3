#include <maskgrad/autograd/ops/standardise.hpp>

#include <maskgrad/autograd/ops/arithmetic.hpp>
#include <maskgrad/autograd/ops/reduce.hpp>
#include <maskgrad/autograd/ops/unary.hpp>

namespace maskgrad {

Tensor standardise(const Tensor& x, const Axes& axes, double epsilon) {
  if (!(epsilon > 0)) {
    fail<OptionError>("standardise", "epsilon is {}; expected a number above 0", epsilon);
  }
  if (!x.is_meta() && rows::total(x) == 0) return x;
  const Tensor centred = x - mean(x, axes, true);
  return centred * rsqrt(mean(square(centred), axes, true) + epsilon);
}

Tensor standardise(const Tensor& x) {
  if (x.rank() < 2) {
    fail<ShapeError>("standardise", "got {}; expected [..., features], or the axes to run over",
                     x.describe());
  }
  std::vector<int> axes;
  for (int i = 0; i + 1 < x.rank(); ++i) axes.push_back(i);
  return standardise(x, Axes(axes));
}

}  // namespace maskgrad
