#include <maskgrad/layers/normalization/scale_and_shift.hpp>

#include <maskgrad/layers/layer/check.hpp>

namespace maskgrad::detail {

void ScaleAndShift::build(const Tensor& x, Builder& builder, const Initializer& gamma,
                          const Initializer& beta) {
  check::has_features(x);
  const Shape features{x.shape().back()};
  if (scale_) gamma_ = builder.weight("gamma", features, gamma);
  if (center_) beta_ = builder.weight("beta", features, beta);
}

Affine ScaleAndShift::affine() const {
  return {scale_ ? gamma_.tensor() : Tensor(), center_ ? beta_.tensor() : Tensor()};
}

void ScaleAndShift::check(const Tensor& x) const {
  if (scale_ || center_) check::features(x, (scale_ ? gamma_ : beta_).shape()[0]);
}

}  // namespace maskgrad::detail

namespace maskgrad::check {

void epsilon(std::string_view kind, double epsilon) {
  if (epsilon > 0) return;
  fail<OptionError>(kind, "the option .epsilon is {}; expected a number above 0", epsilon);
}

void feature_axis(const Tensor& x, std::int64_t axis) {
  if (axis == -1 || axis == x.rank() - 1) return;
  fail<OptionError>(detail::layer_title(),
                    "the option .axis is {} for {}; expected -1, the features. Permute them to the "
                    "end first",
                    axis, x.describe());
}

}  // namespace maskgrad::check
