#include <maskgrad/layers/layer/spec.hpp>

namespace maskgrad {

Spec Spec::masked(int axes) const {
  if (axes < 0 || axes > shape_.rank()) {
    fail<ShapeError>("Spec::masked", "a mask over {} axes of {}{}; expected 0 to {}", axes,
                     name(dtype_), shape_, shape_.rank());
  }
  Spec s = *this;
  s.mask_axes_ = axes;
  return s;
}

Tensor Spec::meta() const {
  Mask mask;
  if (mask_axes_ >= 0) mask = masks::meta(shape_.sub(0, mask_axes_), "the specification");
  return rows::make_meta(shape_, dtype_, mask);
}

}  // namespace maskgrad
