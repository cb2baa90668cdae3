#pragma once

#include <optional>

#include <maskgrad/autograd/ops/noise/dropout.hpp>
#include <maskgrad/layers/layer/check.hpp>
#include <maskgrad/layers/layer/so_far.hpp>

namespace maskgrad {

struct GaussianDropoutOptions {
  double rate;
  std::optional<Seed> seed = {};  ///< none: from the model's seed and the layer's path
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f(extend::required("rate"), o.rate);
    f("seed", o.seed);
    f("name", o.name);
  }
};

/// In training each value times a normal number of mean 1 and variance rate / (1 - rate), which has
/// the mean and variance of dropout; in evaluation x.
/// Shapes:   x -> the same.
/// Mask:     propagates; what is drawn does not depend on padding (autograd/noise.hpp).
/// Throws:   OptionError where rate is not in [0, 1).
/// Source:   Srivastava et al. 2014; Keras 3, GaussianDropout.
/// Example:  mg::GaussianDropout drop{{.rate = 0.1}};
///           mg::build(drop, spec);
///           drop(x);  // [4, 5, 3], times numbers of variance 1/9
class GaussianDropout {
 public:
  using Options = GaussianDropoutOptions;
  static constexpr std::string_view kind = "GaussianDropout";
  static constexpr MaskContract contract{
      .role = MaskRole::propagates,
      .why = "each value is scaled by itself, by its rank among the valid steps"};

  explicit GaussianDropout(GaussianDropoutOptions options)
      : info(kind, options.name), options_(options) {
    check::rate(kind, "rate", options.rate);
  }
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  void build(const Tensor&, Builder& builder) {
    seed_ = options_.seed.value_or(builder.layer_seed());
  }
  Tensor forward(const Tensor& x) const {
    const detail::NoiseSoFar noise(x);
    return gaussian_dropout(x, options_.rate, seed_);
  }

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  GaussianDropoutOptions options_;
  Seed seed_;
};

}  // namespace maskgrad
