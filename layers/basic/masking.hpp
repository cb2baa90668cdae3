#pragma once

#include <maskgrad/layers/layer/layer.hpp>

namespace maskgrad {

struct MaskingOptions {
  double mask_value = 0;
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("mask_value", o.mask_value);
    f("name", o.name);
  }
};

/// Makes a mask: a step is padding where all of its features equal `mask_value`; where that is NaN,
/// where all of them are NaN.
/// Shapes:   x [..., features] -> the same.
/// Mask:     produces [...]; the AND with the one that x has.
/// Throws:   ShapeError for fewer than two axes.
/// Source:   Keras 3, Masking.
/// Example:  mg::Masking{{.mask_value = 0}}(padded);  // [4, 5, 3] under a mask [4, 5]
class Masking {
 public:
  using Options = MaskingOptions;
  static constexpr std::string_view kind = "Masking";
  static constexpr MaskContract contract{
      .role = MaskRole::produces,
      .why = "marks the steps whose features all are mask_value",
      .keras = "the mask is a hint that most layers drop; padding goes on with the data"};
  static constexpr TimeContract time{};

  explicit Masking(MaskingOptions options = {})
      : info(kind, options.name), options_(std::move(options)) {}
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  Tensor forward(const Tensor& x) const;

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  MaskingOptions options_;
};

}  // namespace maskgrad
