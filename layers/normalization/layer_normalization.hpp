#pragma once

#include <maskgrad/layers/normalization/scale_and_shift.hpp>

namespace maskgrad {

struct LayerNormalizationOptions {
  std::int64_t axis = -1;
  double epsilon = 1e-3;
  bool center = true;
  bool scale = true;
  Initializer beta_initializer = "zeros";
  Initializer gamma_initializer = "ones";
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("axis", o.axis);
    f("epsilon", o.epsilon);
    f("center", o.center);
    f("scale", o.scale);
    f("beta_initializer", o.beta_initializer);
    f("gamma_initializer", o.gamma_initializer);
    f("name", o.name);
  }
};

/// Each row's features by their own mean and variance:
///   (x - mean) / sqrt(variance + epsilon) gamma + beta
/// Shapes:   x [batch, ..., features] -> the same; gamma, beta [features].
/// Mask:     propagates; refuses one over features.
/// Throws:   OptionError for an epsilon of 0 or less, or another axis than the last; ShapeError.
/// Source:   Ba et al. 2016; Keras 3, LayerNormalization.
/// Example:  mg::LayerNormalization normal{{.epsilon = 1e-6}};
///           mg::build(normal, spec);
///           normal(x);  // [4, 5, 3]
class LayerNormalization {
 public:
  using Options = LayerNormalizationOptions;
  static constexpr std::string_view kind = "LayerNormalization";
  static constexpr MaskContract contract{.role = MaskRole::propagates,
                                         .why = "each row is normalized by itself",
                                         .full_role = MaskRole::unsupported,
                                         .ways_out = detail::mask_whole_steps};

  explicit LayerNormalization(LayerNormalizationOptions options = {});
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  void build(const Tensor& x, Builder& builder);
  Tensor forward(const Tensor& x) const;

  template <class Self, class F>
  static void each_parameter(Self& self, F&& f) {
    detail::ScaleAndShift::each_parameter(self.weights_, f);
  }

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  Options options_;
  detail::ScaleAndShift weights_;
};

}  // namespace maskgrad
