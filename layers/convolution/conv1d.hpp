#pragma once

#include <maskgrad/layers/convolution/window_layers.hpp>

namespace maskgrad {

struct Conv1DOptions {
  std::int64_t filters;
  std::int64_t kernel_size;
  std::int64_t strides = 1;
  std::string padding = "valid";
  std::int64_t dilation_rate = 1;
  std::int64_t groups = 1;  ///< of features, each with filters of its own
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
    f("dilation_rate", o.dilation_rate);
    f("groups", o.groups);
    f("activation", o.activation);
    f("use_bias", o.use_bias);
    f("kernel_initializer", o.kernel_initializer);
    f("bias_initializer", o.bias_initializer);
    f("name", o.name);
  }
};

namespace detail {

/// Convolution over time; what Conv1D and MaskedConv1D have in common.
class Conv1DCore {
 public:
  /// Throws OptionError, naming `kind`, for options out of range.
  Conv1DCore(std::string_view kind, Conv1DOptions options);
  void build(const Tensor& x, Builder& builder);
  Tensor forward(const Tensor& x) const;
  const Conv1DOptions& options() const { return options_; }
  TimeContract time() const { return time_of_windows(windows_); }

  template <class Self, class F>
  static void each_parameter(Self& self, F&& f) {
    f("kernel", self.kernel_);
    BiasAndActivation::each_parameter(self.end_, f);
  }

 private:
  Conv1DOptions options_;
  WindowOptions windows_;
  BiasAndActivation end_;
  Parameter kernel_;
};

}  // namespace detail

/// Convolution over time: y[t] = activation(sum over j of x[t * strides + j * dilation_rate]
/// kernel[j] + bias). With `groups`, each group of features has its share of the filters.
/// Shapes:   x [batch, time, features] -> [batch, steps, filters]; kernel [kernel_size, features /
///           groups, filters], bias [filters]; `padding` valid, same (the odd zero at the end) or
///           causal. Fewer steps than a window takes give no steps under `valid`.
/// Mask:     unsupported over time: a window would mix steps with padding. Under [batch] it stays
///           inside a row and propagates.
/// Throws:   MaskError, ShapeError, OptionError.
/// Source:   Keras 3, Conv1D.
/// Example:  mg::Conv1D convolve{{.filters = 8, .kernel_size = 3, .padding = "causal"}};
///           mg::build(convolve, padded_spec);
///           convolve(padded);  // [4, 5, 8]; of x it would be a MaskError
class Conv1D {
 public:
  using Options = Conv1DOptions;
  static constexpr std::string_view kind = "Conv1D";
  static constexpr MaskContract contract = detail::refuses_steps(
      "a window mixes neighboring steps, so padding would leak",
      "MaskedConv1D (each sequence convolved as if alone) · x.drop_mask(\"why\") to "
      "convolve the padding as data",
      detail::convolves_padding);

  explicit Conv1D(Conv1DOptions options) : info(kind, options.name), core_(kind, options) {}
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  void build(const Tensor& x, Builder& builder) { core_.build(x, builder); }
  Tensor forward(const Tensor& x) const { return core_.forward(x); }

  template <class Self, class F>
  static void each_parameter(Self& self, F&& f) {
    detail::Conv1DCore::each_parameter(self.core_, f);
  }

  const Options& options() const { return core_.options(); }
  LayerInfo info;

 private:
  detail::Conv1DCore core_;
};

/// Conv1D over each sequence's valid steps, as if each sequence were alone and unpadded.
/// Shapes:   as Conv1D.
/// Mask:     supports: where the length stays (strides 1 and `same`, `causal` or a kernel_size of
///           1) results stand at their own steps; else result k stands at step k, and the mask
///           follows from the new lengths.
/// Throws:   MaskError (a mask over features), ShapeError, OptionError.
/// Source:   ours.
/// Example:  mg::MaskedConv1D convolve{{.filters = 8, .kernel_size = 3, .padding = "same"}};
///           mg::build(convolve, spec);
///           convolve(x);  // [4, 5, 8] under x's mask
class MaskedConv1D {
 public:
  using Options = Conv1DOptions;
  static constexpr std::string_view kind = "MaskedConv1D";
  static constexpr MaskContract contract =
      detail::takes_valid_steps("convolves each sequence's valid steps as if it were alone");
  static constexpr TimeContract time = detail::windows_time;
  TimeContract time_now() const { return core_.time(); }

  explicit MaskedConv1D(Conv1DOptions options) : info(kind, options.name), core_(kind, options) {}
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  void build(const Tensor& x, Builder& builder) { core_.build(x, builder); }
  Tensor forward(const Tensor& x) const { return core_.forward(x); }

  template <class Self, class F>
  static void each_parameter(Self& self, F&& f) {
    detail::Conv1DCore::each_parameter(self.core_, f);
  }

  const Options& options() const { return core_.options(); }
  LayerInfo info;

 private:
  detail::Conv1DCore core_;
};

}  // namespace maskgrad
