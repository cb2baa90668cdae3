#pragma once

#include <maskgrad/layers/regularization/gaussian_dropout.hpp>

namespace maskgrad {

/// The same as GaussianDropout's.
using SpatialDropout1DOptions = GaussianDropoutOptions;

/// In training each feature is 0 over a whole sequence with probability `rate`, else divided by
/// 1 - rate; in evaluation x.
/// Shapes:   x [batch, time, features] -> the same.
/// Mask:     propagates; what is dropped does not depend on padding (autograd/noise.hpp).
/// Throws:   OptionError where rate is not in [0, 1); ShapeError for other ranks.
/// Source:   Tompson et al. 2014, arXiv:1411.4280; Keras 3, SpatialDropout1D.
/// Example:  mg::SpatialDropout1D drop{{.rate = 0.2}};
///           mg::build(drop, spec);
///           drop(x);  // [4, 5, 3]
class SpatialDropout1D {
 public:
  using Options = SpatialDropout1DOptions;
  static constexpr std::string_view kind = "SpatialDropout1D";
  static constexpr MaskContract contract{
      .role = MaskRole::propagates,
      .why = "a feature is dropped over a whole sequence, whatever its steps"};

  explicit SpatialDropout1D(SpatialDropout1DOptions options)
      : info(kind, options.name), options_(options) {
    check::rate(kind, "rate", options.rate);
  }
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  void build(const Tensor&, Builder& builder) {
    seed_ = options_.seed.value_or(builder.layer_seed());
  }
  Tensor forward(const Tensor& x) const {
    check::layer_rank(x, 3, "[batch, time, features]");
    return dropout(x, options_.rate, seed_, true);
  }

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  SpatialDropout1DOptions options_;
  Seed seed_;
};

}  // namespace maskgrad
