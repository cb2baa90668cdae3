#pragma once

#include <optional>

#include <maskgrad/autograd/ops/noise/dropout.hpp>
#include <maskgrad/layers/layer/check.hpp>
#include <maskgrad/layers/layer/so_far.hpp>

namespace maskgrad {

struct GaussianNoiseOptions {
  double stddev;
  std::optional<Seed> seed = {};  ///< none: from the model's seed and the layer's path
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f(extend::required("stddev"), o.stddev);
    f("seed", o.seed);
    f("name", o.name);
  }
};

/// In training each value plus a normal number of mean 0 and deviation `stddev`; in evaluation x.
/// Shapes:   x -> the same.
/// Mask:     propagates; what is drawn does not depend on padding (autograd/noise.hpp).
/// Throws:   OptionError where stddev is below 0.
/// Source:   Keras 3, GaussianNoise.
/// Example:  mg::GaussianNoise noise{{.stddev = 0.1, .seed = mg::Seed{7}}};
///           mg::build(noise, spec);
///           noise(x);  // [4, 5, 3]
class GaussianNoise {
 public:
  using Options = GaussianNoiseOptions;
  static constexpr std::string_view kind = "GaussianNoise";
  static constexpr MaskContract contract{
      .role = MaskRole::propagates,
      .why = "each value gets noise of its own, by its rank among the valid steps"};

  explicit GaussianNoise(GaussianNoiseOptions options)
      : info(kind, options.name), options_(options) {
    check::not_negative(kind, "stddev", options.stddev);
  }
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  void build(const Tensor&, Builder& builder) {
    seed_ = options_.seed.value_or(builder.layer_seed());
  }
  Tensor forward(const Tensor& x) const {
    const detail::NoiseSoFar noise(x);
    return gaussian_noise(x, options_.stddev, seed_);
  }

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  GaussianNoiseOptions options_;
  Seed seed_;
};

}  // namespace maskgrad
