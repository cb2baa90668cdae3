#pragma once

#include <optional>

#include <maskgrad/layers/attention/heads_core.hpp>

namespace maskgrad {

struct GroupedQueryAttentionOptions {
  std::int64_t head_dim;
  std::int64_t num_query_heads;
  std::int64_t num_key_value_heads;  ///< each serves as many query heads, side by side
  double dropout = 0;                ///< of the weights
  bool use_bias = true;
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
    f(extend::required("head_dim"), o.head_dim);
    f(extend::required("num_query_heads"), o.num_query_heads);
    f(extend::required("num_key_value_heads"), o.num_key_value_heads);
    f("dropout", o.dropout);
    f("use_bias", o.use_bias);
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

/// MultiHeadAttention with fewer heads of keys and values than of queries.
/// Shapes:   as MultiHeadAttention; key/kernel and value/kernel [in, num_key_value_heads,
///           head_dim]; the result has the query's features.
/// Mask:     as MultiHeadAttention.
/// Throws:   OptionError, also where the heads do not share evenly; ShapeError, MaskError.
/// Source:   Ainslie et al. 2023; Keras 3, GroupedQueryAttention.
/// Example:  mg::GroupedQueryAttention self{
///               {.head_dim = 16, .num_query_heads = 4, .num_key_value_heads = 2}};
///           mg::build(self, spec);
///           self(x);  // [4, 5, 3]
class GroupedQueryAttention {
 public:
  using Options = GroupedQueryAttentionOptions;
  static constexpr std::string_view kind = "GroupedQueryAttention";
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

  explicit GroupedQueryAttention(GroupedQueryAttentionOptions options);
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
  GroupedQueryAttentionOptions options_;
  detail::HeadsCore core_;
};

}  // namespace maskgrad
