#pragma once

#include <maskgrad/autograd/ops/elementwise/activations.hpp>
#include <maskgrad/layers/layer/layer.hpp>

namespace maskgrad {

struct DenseOptions {
  std::int64_t units;
  std::string activation = "linear";
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f(extend::required("units"), o.units);
    f("activation", o.activation);
    f("use_bias", o.use_bias);
    f("kernel_initializer", o.kernel_initializer);
    f("bias_initializer", o.bias_initializer);
    f("name", o.name);
  }
};

/// A linear map of the features: y = activation(x kernel + bias).
/// Shapes:   x [..., features] -> [..., units]; kernel [features, units], bias [units].
/// Mask:     propagates; refuses a mask over features.
/// Throws:   OptionError for units below 1 or an unknown activation; ShapeError, MaskError.
/// Source:   Keras 3, Dense.
/// Example:  mg::Dense head{{.units = 8, .activation = "relu"}};
///           mg::build(head, spec);
///           head(x);  // [4, 5, 8]
class Dense {
 public:
  using Options = DenseOptions;
  static constexpr std::string_view kind = "Dense";
  static constexpr MaskContract contract{.role = MaskRole::propagates,
                                         .why = "each row is mapped by itself",
                                         .full_role = MaskRole::unsupported,
                                         .ways_out = detail::mask_whole_steps};

  explicit Dense(DenseOptions options);
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  void build(const Tensor& x, Builder& builder);
  Tensor forward(const Tensor& x) const;

  template <class Self, class F>
  static void each_parameter(Self& self, F&& f) {
    f("kernel", self.kernel_);
    if (self.options_.use_bias) f("bias", self.bias_);
  }

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  DenseOptions options_;
  ActivationFunction activation_;
  Parameter kernel_, bias_;
};

}  // namespace maskgrad
