#pragma once

#include <maskgrad/layers/attention/multi_head_attention.hpp>
#include <maskgrad/layers/attention/positions.hpp>
#include <maskgrad/layers/basic/dense.hpp>
#include <maskgrad/layers/normalization/layer_normalization.hpp>
#include <maskgrad/layers/regularization/dropout.hpp>

namespace maskgrad::detail {

/// What TransformerEncoder and TransformerDecoder have in common.
struct TransformerSettings {
  std::int64_t intermediate_dim = 1, num_heads = 1;
  double dropout = 0;
  std::string activation = "relu";
  double layer_norm_epsilon = 1e-5;
  Initializer kernel_initializer = "glorot_uniform", bias_initializer = "zeros";
  bool normalize_first = false;
  bool causal = false;
  std::optional<std::int64_t> window = {};
  std::optional<double> rotary_max_wavelength = {};
};

/// The settings that the options hold. OptionError where one is out of range.
template <class Options>
TransformerSettings transformer_settings(std::string_view kind, const Options& o) {
  check::at_least(kind, "intermediate_dim", o.intermediate_dim, 1);
  check::at_least(kind, "num_heads", o.num_heads, 1);
  check::rate(kind, "dropout", o.dropout);
  if (o.window) check::at_least(kind, "window", *o.window, 0);
  if (o.rotary_max_wavelength) check_wavelength(kind, *o.rotary_max_wavelength);
  return {o.intermediate_dim,
          o.num_heads,
          o.dropout,
          o.activation,
          o.layer_norm_epsilon,
          o.kernel_initializer,
          o.bias_initializer,
          o.normalize_first,
          o.use_causal_mask,
          o.window,
          o.rotary_max_wavelength};
}

/// What a block that reads its own steps does along time.
template <class Options>
TimeContract time_of_block(const Options& o) {
  return time_of_attention(o.use_causal_mask, o.window, o.dropout > 0);
}

/// One part of a block: x + dropout(f(norm(x))), or norm(x + dropout(f(x))).
class ResidualPart {
 public:
  explicit ResidualPart(const TransformerSettings& settings);

  template <class F>
  Tensor operator()(const Tensor& x, F&& f) {
    const Tensor y = together(x, dropout_(f(first_ ? norm_(x) : x)));
    return first_ ? y : norm_(y);
  }
  template <class Self, class F>
  static void each_layer(Self& self, const std::string& name, F&& f) {
    f(name + "_layer_norm", self.norm_);
    f(name + "_dropout", self.dropout_);
  }

 private:
  /// The sum, of the steps that are there of both: in a stream f may come late.
  Tensor together(const Tensor& x, const Tensor& change) const;

  LayerNormalization norm_;
  Dropout dropout_;
  bool first_;
};

/// Attention of x to itself, or to what an encoder gave.
class AttentionPart {
 public:
  /// `own`: of x to itself, where the options for that count.
  AttentionPart(const TransformerSettings& settings, bool own, bool scores);

  /// Heads for x, which is known when the block is built. OptionError where it has fewer features
  /// than heads, or heads of an odd size that are to be turned.
  void fit(const Tensor& x);
  /// The result, then the scores where they are wanted. `memory` is empty: x itself.
  Tensors operator()(const Tensor& x, const Tensors& memory);

  template <class Self, class F>
  static void each_layer(Self& self, const std::string& attention, const std::string& name, F&& f) {
    f(attention, self.attention_);
    ResidualPart::each_layer(self.residual_, name, f);
  }

 private:
  MultiHeadAttention attention_;
  std::optional<double> rotary_max_wavelength_;
  ResidualPart residual_;
};

/// Two Dense layers, the first one wider.
class FeedforwardPart {
 public:
  explicit FeedforwardPart(const TransformerSettings& settings);

  void fit(const Tensor& x);
  Tensor operator()(const Tensor& x);

  template <class Self, class F>
  static void each_layer(Self& self, F&& f) {
    f("feedforward_intermediate_dense", self.intermediate_);
    f("feedforward_output_dense", self.output_);
    ResidualPart::each_layer(self.residual_, "feedforward", f);
  }

 private:
  Dense intermediate_, output_;
  ResidualPart residual_;
};

}  // namespace maskgrad::detail
