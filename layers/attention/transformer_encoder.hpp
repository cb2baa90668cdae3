#pragma once

#include <maskgrad/layers/attention/transformer_parts.hpp>

namespace maskgrad {

struct TransformerEncoderOptions {
  std::int64_t intermediate_dim;
  std::int64_t num_heads;
  double dropout = 0;
  std::string activation = "relu";  ///< of the feedforward part
  double layer_norm_epsilon = 1e-5;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  bool normalize_first = false;  ///< normalize what a part reads, not what it gives
  bool use_causal_mask = false;  ///< a step reads no later step
  /// Of its own steps, a step reads itself and the nearest so many on either side; none: all.
  std::optional<std::int64_t> window = {};
  /// Turns queries and keys of its own steps by their positions; none: does not.
  std::optional<double> rotary_max_wavelength = {};
  bool return_attention_scores = false;  ///< the scores as a second output
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
    f("return_attention_scores", o.return_attention_scores);
    f("name", o.name);
  }
};

/// Self attention, then a feedforward part, each with a residual and layer normalization.
/// Shapes:   x [batch, time, features] -> the same; heads of features / num_heads.
/// Mask:     supports: each valid step reads the valid steps of its sequence; passed on.
/// Throws:   OptionError, also for fewer features than heads; ShapeError, MaskError.
/// Source:   Vaswani et al. 2017; KerasHub, TransformerEncoder.
/// Example:  mg::TransformerEncoder block{{.intermediate_dim = 64, .num_heads = 3}};
///           mg::build(block, spec);
///           block(x);  // [4, 5, 3]
class TransformerEncoder {
 public:
  using Options = TransformerEncoderOptions;
  static constexpr std::string_view kind = "TransformerEncoder";
  static constexpr MaskContract contract = detail::attention_contract;
  static constexpr TimeContract time = detail::attention_time;
  TimeContract time_now() const { return detail::time_of_block(options_); }

  explicit TransformerEncoder(TransformerEncoderOptions options);
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  void build(const Tensor& x, Builder& builder);
  Tensors forward(const Tensor& x);

  template <class Self, class F>
  static void each_layer(Self& self, F&& f) {
    detail::AttentionPart::each_layer(self.attention_, "self_attention_layer", "self_attention", f);
    detail::FeedforwardPart::each_layer(self.feedforward_, f);
  }

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  TransformerEncoderOptions options_;
  detail::AttentionPart attention_;
  detail::FeedforwardPart feedforward_;
};

}  // namespace maskgrad
