#pragma once

#include <maskgrad/layers/convolution/window_layers.hpp>

namespace maskgrad {

struct DepthwiseConv1DOptions {
  std::int64_t kernel_size;
  std::int64_t strides = 1;
  std::string padding = "valid";
  std::int64_t depth_multiplier = 1;  ///< results of each feature
  std::int64_t dilation_rate = 1;
  std::string activation = "linear";
  bool use_bias = true;
  Initializer depthwise_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f(extend::required("kernel_size"), o.kernel_size);
    f("strides", o.strides);
    f("padding", o.padding);
    f("depth_multiplier", o.depth_multiplier);
    f("dilation_rate", o.dilation_rate);
    f("activation", o.activation);
    f("use_bias", o.use_bias);
    f("depthwise_initializer", o.depthwise_initializer);
    f("bias_initializer", o.bias_initializer);
    f("name", o.name);
  }
};

/// Convolution over time of each feature by itself; feature i gives the results i *
/// depth_multiplier and following.
/// Shapes:   x [batch, time, features] -> [batch, steps, features * depth_multiplier]; kernel
///           [kernel_size, features, depth_multiplier], bias [features * depth_multiplier];
///           `padding` valid, same (the odd zero at the end) or causal (ours).
/// Mask:     unsupported over time. Under [batch] it stays inside a row and propagates.
/// Throws:   MaskError, ShapeError, OptionError.
/// Source:   Keras 3, DepthwiseConv1D.
/// Example:  mg::DepthwiseConv1D convolve{{.kernel_size = 3, .depth_multiplier = 2}};
///           mg::build(convolve, padded_spec);
///           convolve(padded);  // [4, 3, 6]
class DepthwiseConv1D {
 public:
  using Options = DepthwiseConv1DOptions;
  static constexpr std::string_view kind = "DepthwiseConv1D";
  static constexpr MaskContract contract = detail::refuses_steps(
      "a window mixes neighboring steps, so padding would leak",
      "MaskedConv1D with .groups = features and .filters = features * "
      "depth_multiplier (the same, each sequence as if alone) · x.drop_mask(\"why\") "
      "to convolve the padding as data",
      detail::convolves_padding);

  explicit DepthwiseConv1D(DepthwiseConv1DOptions options);
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  void build(const Tensor& x, Builder& builder);
  Tensor forward(const Tensor& x) const;

  template <class Self, class F>
  static void each_parameter(Self& self, F&& f) {
    f("kernel", self.kernel_);
    detail::BiasAndActivation::each_parameter(self.end_, f);
  }

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  Options options_;
  WindowOptions windows_;
  detail::BiasAndActivation end_;
  Parameter kernel_;
};

}  // namespace maskgrad
