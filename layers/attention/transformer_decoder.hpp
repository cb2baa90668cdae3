#pragma once

#include <maskgrad/layers/attention/transformer_parts.hpp>

namespace maskgrad {

struct TransformerDecoderOptions {
  std::int64_t intermediate_dim;
  std::int64_t num_heads;
  double dropout = 0;
  std::string activation = "relu";  ///< of the feedforward part
  double layer_norm_epsilon = 1e-5;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  bool normalize_first = false;  ///< normalize what a part reads, not what it gives
  bool use_causal_mask = true;   ///< a step reads no later step of its own sequence
  /// Of its own steps, a step reads itself and the nearest so many on either side; none: all.
  std::optional<std::int64_t> window = {};
  /// Turns queries and keys of its own steps by their positions; none: does not.
  std::optional<double> rotary_max_wavelength = {};
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f(extend::required("intermediate_dim"), o.intermediate_dim);
    f(extend::required("num_heads"), o.num_heads);
    f("dropout", o.dropout);
    f("activation", o.activation);
    f("layer_norm_epsilon", o.layer_norm_epsilon);
    f("kernel_initializer", o.kernel_initializer);
    f("bias_initializer", o.bias_initializer);
    f("normalize_first", o.normalize_first);
    f("use_causal_mask", o.use_causal_mask);
    f("window", o.window);
    f("rotary_max_wavelength", o.rotary_max_wavelength);
    f("name", o.name);
  }
};

/// Causal self attention, attention to an encoder's sequence where one is given, then a feedforward
/// part, each with a residual and layer normalization.
/// Shapes:   x [batch, time, features], and maybe the encoder's [batch, time 2, features 2] -> as
///           x. The number of inputs is that of the build.
/// Mask:     supports: each valid step reads valid steps, of either sequence by its own mask; the
///           result carries that of x. An empty sequence of the encoder gives a context of zeros.
/// Throws:   OptionError, also for fewer features than heads; ShapeError, MaskError.
/// Source:   Vaswani et al. 2017; KerasHub, TransformerDecoder.
/// Example:  mg::TransformerDecoder block{{.intermediate_dim = 64, .num_heads = 3}};
///           mg::build(block, {spec, spec});
///           block(y, x);  // [4, 5, 3] under y's mask; x is what an encoder gave
class TransformerDecoder {
 public:
  using Options = TransformerDecoderOptions;
  static constexpr std::string_view kind = "TransformerDecoder";
  static constexpr MaskContract contract = detail::attention_contract;
  static constexpr TimeContract time = detail::attention_time;
  TimeContract time_now() const;
  std::optional<TimeContract> time_over_context(std::int64_t) const;

  explicit TransformerDecoder(TransformerDecoderOptions options);
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  Tensor operator()(const Tensor& x, const Tensor& encoded) {
    return maskgrad::call(*this, Tensors{x, encoded}).front();
  }
  void build(const Tensors& inputs, Builder& builder);
  Tensors forward(const Tensors& inputs);

  template <class Self, class F>
  static void each_layer(Self& self, F&& f) {
    detail::AttentionPart::each_layer(self.attention_, "self_attention", "self_attention", f);
    if (self.crosses_) {
      detail::AttentionPart::each_layer(self.cross_, "cross_attention", "cross_attention", f);
    }
    detail::FeedforwardPart::each_layer(self.feedforward_, f);
  }

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  TransformerDecoderOptions options_;
  detail::AttentionPart attention_, cross_;
  detail::FeedforwardPart feedforward_;
  bool crosses_ = true;  ///< false once it is built without an encoder's sequence
};

}  // namespace maskgrad
