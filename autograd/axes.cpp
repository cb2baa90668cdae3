#include <maskgrad/autograd/axes.hpp>

#include <maskgrad/core/error.hpp>

namespace maskgrad {

Axes::Axes(std::span<const int> axes) : count_(0) {
  if (axes.size() > Shape::max_rank) {
    fail<ShapeError>("Axes", "got {} axes; expected at most {}", axes.size(), Shape::max_rank + 0);
  }
  for (int axis : axes) axes_[count_++] = axis;
}

unsigned Axes::bits(std::string_view op, const Shape& shape) const {
  if (count_ < 0) return (1u << shape.rank()) - 1;
  unsigned bits = 0;
  for (int i = 0; i < count_; ++i) {
    const int axis = extend::normal_axis(op, axes_[i], shape);
    if ((bits >> axis & 1) != 0) {
      fail<ShapeError>(op, "axis {} of shape {} is named twice; expected each axis once", axis,
                       shape);
    }
    bits |= 1u << axis;
  }
  return bits;
}

}  // namespace maskgrad
