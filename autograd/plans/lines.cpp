#include <maskgrad/autograd/plans/lines.hpp>

namespace maskgrad {

int check_line_axis(std::string_view op, const Tensor& x, int axis) {
  axis = extend::normal_axis(op, axis, x.shape());
  const int last = rows::mask_rank(x) - 1;
  if (axis < last) {
    fail<MaskError>(op,
                    "axis {} of {} is a mask axis and not the last one, so its valid positions are "
                    "no sequence; expected axis {} (a sequence's valid steps) or an inner axis. "
                    "Permute the axes first, or end the mask with x.drop_mask(\"why\")",
                    axis, x.describe(), last);
  }
  return axis;
}

Reduced lines_along(std::string_view op, const Tensor& x, int axis) {
  return Reduced(op, x, check_line_axis(op, x, axis), true, 0);
}

}  // namespace maskgrad
