#include <maskgrad/autograd/check.hpp>

#include <maskgrad/core/context.hpp>

namespace maskgrad::check {

void real(std::string_view op, const Tensor& x) {
  if (is_real(x.dtype())) return;
  fail<TypeError>(op, "got {}; expected f32 or f64. Use cast(x, DType::f32)", x.describe());
}

void numeric(std::string_view op, const Tensor& x) {
  if (x.dtype() != DType::boolean) return;
  fail<TypeError>(op, "got {}; expected numbers. Use cast(x, DType::f32)", x.describe());
}

void same_dtype(std::string_view op, const Tensor& a, const Tensor& b) {
  if (a.dtype() == b.dtype()) return;
  if (extend::LayerScope::current()) {
    fail<TypeError>(op,
                    "{} with {}; expected one element type. The inputs of a layer are of its "
                    "weights' type: cast the input, cast(x, DType::{}), or build the model with "
                    "Spec::{}",
                    a.describe(), b.describe(), name(b.dtype()), name(a.dtype()));
  }
  fail<TypeError>(op, "{} with {}; expected one element type. Use cast(x, DType::{})", a.describe(),
                  b.describe(), name(a.dtype()));
}

void ids(std::string_view op, const Tensor& x) {
  if (x.dtype() == DType::i64) return;
  fail<TypeError>(op, "got {}; expected ids, i64. Use cast(x, DType::i64)", x.describe());
}

void rank(std::string_view op, const Tensor& x, int rank, std::string_view layout) {
  if (x.rank() == rank) return;
  fail<ShapeError>(op, "got {} with {} axes; expected {} {}", x.describe(), x.rank(), rank, layout);
}

int inner_axis(std::string_view op, const Tensor& x, int axis, std::string_view way_out) {
  axis = extend::normal_axis(op, axis, x.shape());
  if (x.has_mask() && axis < x.mask().rank()) {
    fail<MaskError>(op,
                    "axis {} of {} is a mask axis, which it would cross; {}, or end the mask "
                    "with x.drop_mask(\"why\")",
                    axis, x.describe(), way_out);
  }
  return axis;
}

void no_mask(std::string_view op, const Tensor& x, std::string_view why, std::string_view way_out) {
  if (!x.has_mask()) return;
  fail<MaskError>(op, "got {}, but {}; {}, or end the mask with x.drop_mask(\"why\")", x.describe(),
                  why, way_out);
}

void whole_steps(std::string_view op, const Tensor& x, std::string_view what) {
  if (!x.has_mask() || x.mask().rank() <= 2) return;
  fail<MaskError>(op,
                  "{} has a mask over {}; a step is there or not as a whole. Mask [batch, time], "
                  "or fill single values with x.drop_mask(\"why\")",
                  x.describe(), what);
}

}  // namespace maskgrad::check
