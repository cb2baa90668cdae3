#pragma once

#include <maskgrad/autograd/ops/sequence/overlap_add.hpp>
#include <maskgrad/layers/convolution/window_layers.hpp>

namespace maskgrad {

struct Conv1DTransposeOptions {
  std::int64_t filters;
  std::int64_t kernel_size;
  std::int64_t strides = 1;
  std::string padding = "valid";
  std::optional<std::int64_t> output_padding = {};  ///< below strides; absent: see Shapes
  std::int64_t dilation_rate = 1;
  std::string activation = "linear";
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f(extend::required("filters"), o.filters);
    f(extend::required("kernel_size"), o.kernel_size);
    f("strides", o.strides);
    f("padding", o.padding);
    f("output_padding", o.output_padding);
    f("dilation_rate", o.dilation_rate);
    f("activation", o.activation);
    f("use_bias", o.use_bias);
    f("kernel_initializer", o.kernel_initializer);
    f("bias_initializer", o.bias_initializer);
    f("name", o.name);
  }
};

/// A strided convolution read backwards, which makes more steps of fewer: x[t] kernel[j] is added
/// to step t * strides + j * dilation_rate; then bias and activation.
/// Shapes:   x [batch, time, features] -> [batch, steps, filters]; kernel [kernel_size, filters,
///           features], bias [filters]. `same` gives time * strides steps, `valid` (time - 1) *
///           strides + max(span, strides), span = (kernel_size - 1) * dilation_rate + 1. With
///           output_padding: (time - 1) * strides + output_padding + span, `same`: + span % 2.
/// Mask:     unsupported over time. Under [batch] it stays inside a row and propagates.
/// Throws:   MaskError, ShapeError, OptionError.
/// Source:   Keras 3, Conv1DTranspose.
/// Example:  mg::Conv1DTranspose more{
///               {.filters = 8, .kernel_size = 3, .strides = 2, .padding = "same"}};
///           mg::build(more, padded_spec);
///           more(padded);  // [4, 10, 8]
class Conv1DTranspose {
 public:
  using Options = Conv1DTransposeOptions;
  static constexpr std::string_view kind = "Conv1DTranspose";
  static constexpr MaskContract contract = detail::refuses_steps(
      "each step is added to neighboring ones, so padding would leak",
      "MaskedConv1D (each sequence convolved as if alone, without more steps) · "
      "x.drop_mask(\"why\") to convolve the padding as data",
      detail::convolves_padding);

  explicit Conv1DTranspose(Conv1DTransposeOptions options);
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
  OverlapOptions overlap_;
  detail::BiasAndActivation end_;
  Parameter kernel_;
};

}  // namespace maskgrad
