#pragma once

#include <maskgrad/autograd/ops/normalization/normalize.hpp>
#include <maskgrad/layers/layer/layer.hpp>

namespace maskgrad::detail {

/// The weights gamma and beta that normalizations share, and what they check.
class ScaleAndShift {
 public:
  ScaleAndShift(bool scale, bool center) : scale_(scale), center_(center) {}

  void build(const Tensor& x, Builder& builder, const Initializer& gamma, const Initializer& beta);
  Affine affine() const;
  /// ShapeError where x has other features than the weights.
  void check(const Tensor& x) const;

  template <class Self, class F>
  static void each_parameter(Self& self, F&& f) {
    if (self.scale_) f("gamma", self.gamma_);
    if (self.center_) f("beta", self.beta_);
  }

 private:
  bool scale_, center_;
  Parameter gamma_, beta_;
};

}  // namespace maskgrad::detail

namespace maskgrad::check {
/// OptionError unless `epsilon` is above 0.
void epsilon(std::string_view kind, double epsilon);
/// OptionError unless `axis` is that of the features, the last one of x.
void feature_axis(const Tensor& x, std::int64_t axis);
}  // namespace maskgrad::check
