#pragma once

#include <maskgrad/layers/normalization/scale_and_shift.hpp>

namespace maskgrad {

struct RMSNormalizationOptions {
  std::int64_t axis = -1;
  double epsilon = 1e-6;
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("axis", o.axis);
    f("epsilon", o.epsilon);
    f("name", o.name);
  }
};

/// Each row's features by their root mean square: x / sqrt(mean(x^2) + epsilon) scale.
/// Shapes:   x [batch, ..., features] -> the same; scale [features].
/// Mask:     propagates; refuses one over features.
/// Throws:   OptionError for an epsilon of 0 or less, or another axis than the last; ShapeError.
/// Source:   Zhang and Sennrich 2019; Keras 3, RMSNormalization.
/// Example:  mg::RMSNormalization normal{{.epsilon = 1e-5}};
///           mg::build(normal, spec);
///           normal(x);  // [4, 5, 3]
class RMSNormalization {
 public:
  using Options = RMSNormalizationOptions;
  static constexpr std::string_view kind = "RMSNormalization";
  static constexpr MaskContract contract{.role = MaskRole::propagates,
                                         .why = "each row is normalized by itself",
                                         .full_role = MaskRole::unsupported,
                                         .ways_out = detail::mask_whole_steps};

  explicit RMSNormalization(RMSNormalizationOptions options = {});
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  void build(const Tensor& x, Builder& builder);
  Tensor forward(const Tensor& x) const;

  template <class Self, class F>
  static void each_parameter(Self& self, F&& f) {
    f("scale", self.scale_);
  }

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  Options options_;
  Parameter scale_;
};

}  // namespace maskgrad
