#pragma once

#include <optional>

#include <maskgrad/autograd/ops/noise/dropout.hpp>
#include <maskgrad/layers/layer/check.hpp>
#include <maskgrad/layers/layer/so_far.hpp>
#include <maskgrad/layers/regularization/noise_shape.hpp>

namespace maskgrad {

struct DropoutOptions {
  double rate;
  detail::NoiseShape noise_shape = {};
  std::optional<Seed> seed = {};  ///< none: from the model's seed and the layer's path
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f(extend::required("rate"), o.rate);
    f("noise_shape", o.noise_shape);
    f("seed", o.seed);
    f("name", o.name);
  }
};

/// In training each value is 0 with probability `rate`, else divided by 1 - rate; in evaluation x.
/// With the noise_shape [-1, 1, -1] a feature is dropped over a whole sequence.
/// Shapes:   x -> the same.
/// Mask:     propagates; what is dropped does not depend on padding (autograd/noise.hpp).
/// Throws:   OptionError where rate is not in [0, 1), or noise_shape shares another axis.
/// Source:   Srivastava et al. 2014; Keras 3, Dropout.
/// Example:  mg::Dropout drop{{.rate = 0.2, .noise_shape = {{-1, 1, -1}}}};
///           mg::build(drop, spec);
///           drop(x);  // [4, 5, 3], with a feature over all steps or not at all
class Dropout {
 public:
  using Options = DropoutOptions;
  static constexpr std::string_view kind = "Dropout";
  static constexpr MaskContract contract{
      .role = MaskRole::propagates,
      .why = "each value is dropped by itself, by its rank among the valid steps"};

  explicit Dropout(DropoutOptions options) : info(kind, options.name), options_(options) {
    check::rate(kind, "rate", options.rate);
  }
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  void build(const Tensor&, Builder& builder) {
    seed_ = options_.seed.value_or(builder.layer_seed());
  }
  Tensor forward(const Tensor& x) const {
    const detail::NoiseSoFar noise(x);
    return dropout(x, options_.rate, seed_, detail::shares_steps(options_.noise_shape, x));
  }

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  DropoutOptions options_;
  Seed seed_;
};

}  // namespace maskgrad
