#pragma once

#include <maskgrad/layers/regularization/dropout.hpp>

namespace maskgrad {

/// The same as Dropout's, in the same order.
using AlphaDropoutOptions = DropoutOptions;

/// In training each value takes the lowest value of selu with probability `rate`, and all are
/// scaled and moved so that normal values keep mean and variance; in evaluation x.
/// Shapes:   x -> the same.
/// Mask:     propagates; as Dropout.
/// Throws:   as Dropout.
/// Source:   Klambauer et al. 2017, arXiv:1706.02515; Keras 3, AlphaDropout.
/// Example:  mg::AlphaDropout drop{{.rate = 0.1}};
///           mg::build(drop, spec);
///           drop(mg::selu(x));  // [4, 5, 3]
class AlphaDropout {
 public:
  using Options = AlphaDropoutOptions;
  static constexpr std::string_view kind = "AlphaDropout";
  static constexpr MaskContract contract{
      .role = MaskRole::propagates,
      .why = "each value is dropped by itself, by its rank among the valid steps"};

  explicit AlphaDropout(AlphaDropoutOptions options) : info(kind, options.name), options_(options) {
    check::rate(kind, "rate", options.rate);
  }
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  void build(const Tensor&, Builder& builder) {
    seed_ = options_.seed.value_or(builder.layer_seed());
  }
  Tensor forward(const Tensor& x) const {
    const detail::NoiseSoFar noise(x);
    return alpha_dropout(x, options_.rate, seed_, detail::shares_steps(options_.noise_shape, x));
  }

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  AlphaDropoutOptions options_;
  Seed seed_;
};

}  // namespace maskgrad
