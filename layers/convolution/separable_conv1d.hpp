#pragma once

#include <maskgrad/layers/convolution/window_layers.hpp>

namespace maskgrad {

struct SeparableConv1DOptions {
  std::int64_t filters;
  std::int64_t kernel_size;
  std::int64_t strides = 1;
  std::string padding = "valid";
  std::int64_t dilation_rate = 1;
  std::int64_t depth_multiplier = 1;  ///< results of each feature in the first step
  std::string activation = "linear";
  bool use_bias = true;
  Initializer depthwise_initializer = "glorot_uniform";
  Initializer pointwise_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f(extend::required("filters"), o.filters);
    f(extend::required("kernel_size"), o.kernel_size);
    f("strides", o.strides);
    f("padding", o.padding);
    f("dilation_rate", o.dilation_rate);
    f("depth_multiplier", o.depth_multiplier);
    f("activation", o.activation);
    f("use_bias", o.use_bias);
    f("depthwise_initializer", o.depthwise_initializer);
    f("pointwise_initializer", o.pointwise_initializer);
    f("bias_initializer", o.bias_initializer);
    f("name", o.name);
  }
};

/// Convolution over time of each feature by itself, then the results of each step by a matrix.
/// Shapes:   x [batch, time, features] -> [batch, steps, filters]; depthwise_kernel [kernel_size,
///           features, depth_multiplier], pointwise_kernel [1, features * depth_multiplier,
///           filters], bias [filters]; `padding` valid, same (the odd zero at the end) or causal
///           (ours).
/// Mask:     unsupported over time. Under [batch] it stays inside a row and propagates.
/// Throws:   MaskError, ShapeError, OptionError.
/// Source:   Chollet 2017; Keras 3, SeparableConv1D.
/// Example:  mg::SeparableConv1D convolve{{.filters = 8, .kernel_size = 3, .strides = 2}};
///           mg::build(convolve, padded_spec);
///           convolve(padded);  // [4, 2, 8]
class SeparableConv1D {
 public:
  using Options = SeparableConv1DOptions;
  static constexpr std::string_view kind = "SeparableConv1D";
  static constexpr MaskContract contract = detail::refuses_steps(
      "a window mixes neighboring steps, so padding would leak",
      "MaskedConv1D with .groups = features, then Dense (the same, each sequence as "
      "if alone) · x.drop_mask(\"why\") to convolve the padding as data",
      detail::convolves_padding);

  explicit SeparableConv1D(SeparableConv1DOptions options);
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  void build(const Tensor& x, Builder& builder);
  Tensor forward(const Tensor& x) const;

  template <class Self, class F>
  static void each_parameter(Self& self, F&& f) {
    f("depthwise_kernel", self.depthwise_kernel_);
    f("pointwise_kernel", self.pointwise_kernel_);
    detail::BiasAndActivation::each_parameter(self.end_, f);
  }

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  Options options_;
  WindowOptions windows_;
  detail::BiasAndActivation end_;
  Parameter depthwise_kernel_, pointwise_kernel_;
};

}  // namespace maskgrad
