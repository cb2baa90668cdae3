#pragma once

#include <optional>

#include <maskgrad/layers/attention/heads_core.hpp>

namespace maskgrad {

struct MultiHeadAttentionOptions {
  std::int64_t num_heads;
  std::int64_t key_dim;
  std::optional<std::int64_t> value_dim = {};  ///< none: key_dim
  double dropout = 0;                          ///< of the weights
  bool use_bias = true;
  std::optional<std::int64_t> output_shape = {};  ///< none: the query's features
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  std::optional<Seed> seed = {};
  bool use_causal_mask = false;  ///< a query sees no key behind its own; the last ones meet
  /// Of the keys, the query's own and the nearest so many on either side; none: all.
  std::optional<std::int64_t> window = {};
  /// Turns queries and keys by their positions (see RotaryEmbedding); none: does not.
  std::optional<double> rotary_max_wavelength = {};
  bool return_attention_scores = false;  ///< the scores as a second output
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f(extend::required("num_heads"), o.num_heads);
    f(extend::required("key_dim"), o.key_dim);
    f("value_dim", o.value_dim);
    f("dropout", o.dropout);
    f("use_bias", o.use_bias);
    f("output_shape", o.output_shape);
    f("kernel_initializer", o.kernel_initializer);
    f("bias_initializer", o.bias_initializer);
    f("seed", o.seed);
    f("use_causal_mask", o.use_causal_mask);
    f("window", o.window);
    f("rotary_max_wavelength", o.rotary_max_wavelength);
    f("return_attention_scores", o.return_attention_scores);
    f("name", o.name);
  }
};

/// Attention in several heads: softmax(q k^T / sqrt(key_dim)) v of projected query, key and value,
/// projected back.
/// Shapes:   query [batch, query, features]; value, key [batch, key, features], else the query ->
///           [batch, query, out]. query/kernel, key/kernel, value/kernel [in, heads, dim], their
///           bias [heads, dim]; output/kernel [heads, dim, out], output/bias [out].
///           Scores [batch, query, key, heads].
/// Mask:     supports: a key counts where every mask of key and value is true; the result carries
///           the query's mask. A query without keys gives output/bias. Scores: the valid pairs.
/// Throws:   OptionError, ShapeError, MaskError (a mask over features).
/// Source:   Vaswani et al. 2017; Keras 3, MultiHeadAttention.
/// Example:  mg::MultiHeadAttention attend{{.num_heads = 4, .key_dim = 16}};
///           mg::build(attend, {spec, spec});
///           attend(y, x);  // [4, 5, 3] under y's mask: each step of y reads x
class MultiHeadAttention {
 public:
  using Options = MultiHeadAttentionOptions;
  static constexpr std::string_view kind = "MultiHeadAttention";
  static constexpr MaskContract contract = detail::attention_contract;
  static constexpr TimeContract time = detail::attention_time;
  TimeContract time_now() const {
    return detail::time_of_attention(options_.use_causal_mask, options_.window,
                                     options_.dropout > 0);
  }
  std::optional<TimeContract> time_over_context(std::int64_t) const {
    return detail::attention_over_context(options_.dropout > 0, options_.use_causal_mask,
                                          options_.window);
  }

  explicit MultiHeadAttention(MultiHeadAttentionOptions options);
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  Tensor operator()(const Tensor& query, const Tensor& value) {
    return maskgrad::call(*this, Tensors{query, value}).front();
  }
  void build(const Tensors& inputs, Builder& builder) { core_.build(inputs, builder); }
  Tensors forward(const Tensors& inputs) const { return core_.forward(inputs); }

  template <class Self, class F>
  static void each_parameter(Self& self, F&& f) {
    detail::HeadsCore::each_parameter(self.core_, f);
  }

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  MultiHeadAttentionOptions options_;
  detail::HeadsCore core_;
};

}  // namespace maskgrad
