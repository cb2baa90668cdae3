#pragma once

#include <maskgrad/layers/normalization/scale_and_shift.hpp>

namespace maskgrad {

struct UnitNormalizationOptions {
  std::int64_t axis = -1;
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("axis", o.axis);
    f("name", o.name);
  }
};

/// Each row's features as a vector of length 1: x / max(|x|, 1e-12).
/// Shapes:   x [batch, ..., features] -> the same.
/// Mask:     propagates; refuses one over features.
/// Throws:   OptionError for another axis than the last.
/// Source:   Keras 3, UnitNormalization.
/// Example:  mg::UnitNormalization{}(x);  // [4, 5, 3], each step of length 1
class UnitNormalization {
 public:
  using Options = UnitNormalizationOptions;
  static constexpr std::string_view kind = "UnitNormalization";
  static constexpr MaskContract contract{.role = MaskRole::propagates,
                                         .why = "each row is normalized by itself",
                                         .full_role = MaskRole::unsupported,
                                         .ways_out = detail::mask_whole_steps};

  explicit UnitNormalization(UnitNormalizationOptions options = {})
      : info(kind, options.name), options_(std::move(options)) {}
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  Tensor forward(const Tensor& x) const;

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  Options options_;
};

}  // namespace maskgrad
