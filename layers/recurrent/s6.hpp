#pragma once

#include <maskgrad/layers/layer/initializer.hpp>
#include <maskgrad/layers/layer/options.hpp>
#include <maskgrad/layers/recurrent/linear_layer.hpp>

namespace maskgrad {

struct S6Options {
  std::int64_t state_size = 16;
  std::int64_t kernel_size = 4;  ///< of the convolution
  std::int64_t expand = 2;       ///< inner channels for each feature
  std::int64_t delta_rank = 0;  ///< of the map to delta; 0: a sixteenth of the features, rounded up
  bool use_bias = false;        ///< of the projections
  bool use_conv_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  bool return_sequences = false;
  bool return_state = false;
  bool go_backwards = false;
  bool stateful = false;
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("state_size", o.state_size);
    f("kernel_size", o.kernel_size);
    f("expand", o.expand);
    f("delta_rank", o.delta_rank);
    f("use_bias", o.use_bias);
    f("use_conv_bias", o.use_conv_bias);
    f("kernel_initializer", o.kernel_initializer);
    f("bias_initializer", o.bias_initializer);
    RNNOptions::each_option(o, f);
  }
};

namespace detail {

/// The weights of S6, and how they run over whole sequences.
class S6Core {
 public:
  using Options = S6Options;
  static constexpr bool output_is_state = false, one_state = false;

  explicit S6Core(S6Options options);
  void build(const Tensor& x, Builder& builder);
  /// Of the convolution's last inputs, and of h.
  std::vector<std::int64_t> state_sizes() const;
  Tensor enter(const Tensor& x) const;
  Tensors run_whole(const Tensor& x, const Tensors& states, bool backwards) const;
  const S6Options& options() const { return options_; }

  template <class Self, class F>
  static void each_parameter(Self& self, F&& f) {
    f("input_kernel", self.input_kernel_);
    if (self.options_.use_bias) f("input_bias", self.input_bias_);
    f("conv_kernel", self.conv_kernel_);
    if (self.options_.use_conv_bias) f("conv_bias", self.conv_bias_);
    f("selection_kernel", self.selection_kernel_);
    f("delta_kernel", self.delta_kernel_);
    f("delta_bias", self.delta_bias_);
    f("decay", self.decay_);
    f("skip", self.skip_);
    f("output_kernel", self.output_kernel_);
    if (self.options_.use_bias) f("output_bias", self.output_bias_);
  }

 private:
  std::int64_t inner() const { return skip_.shape()[0]; }
  std::int64_t rank() const { return delta_kernel_.shape()[0]; }
  /// Half `i` of the input's projection: what is convolved, and the gate.
  Tensor project(const Tensor& x, std::int64_t i) const;
  /// Columns [from, to) of what a step selects by.
  Tensor select_by(const Tensor& x, std::int64_t from, std::int64_t to) const;

  S6Options options_;
  Parameter input_kernel_, input_bias_, conv_kernel_, conv_bias_, selection_kernel_, delta_kernel_,
      delta_bias_, decay_, skip_, output_kernel_, output_bias_;
};

}  // namespace detail

/// Selective state space, the core of Mamba with its convolution and gate, over each sequence's
/// valid steps.
///   u, z = x W_in;  u = silu(convolution of u);  d, b, c = u W;  delta = softplus(d W_d + b_d)
///   h' = exp(-delta exp(decay)) h + delta u b;  y = (c h' + skip u) silu(z) W_out
/// Shapes:   x [batch, time, features] -> the last output [batch, features], or all [batch, time,
///           features]. With inner = expand features the states are the convolution's last inputs
///           [batch, (kernel_size - 1) inner], and h [batch, state_size inner].
/// Mask:     as GRU. Throws: OptionError, ShapeError, MaskError (a mask over features).
/// Source:   Gu and Dao 2023, arXiv:2312.00752.
/// Example:  mg::S6 mixer{{.state_size = 8, .return_sequences = true}};
///           mg::build(mixer, spec);
///           mixer(x);  // [4, 5, 3]
class S6 : public detail::LinearLayer<S6, detail::S6Core> {
 public:
  static constexpr std::string_view kind = "S6";
  using LinearLayer::LinearLayer;
};

}  // namespace maskgrad
