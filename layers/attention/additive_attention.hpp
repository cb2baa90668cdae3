#pragma once

#include <optional>

#include <maskgrad/layers/attention/attention_contract.hpp>

namespace maskgrad {

struct AdditiveAttentionLayerOptions {
  bool use_scale = true;  ///< a weight for each feature of the sum
  double dropout = 0;     ///< of the weights
  std::optional<Seed> seed = {};
  bool use_causal_mask = false;          ///< a query sees no key behind its own; the last ones meet
  bool return_attention_scores = false;  ///< the scores as a second output
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("use_scale", o.use_scale);
    f("dropout", o.dropout);
    f("seed", o.seed);
    f("use_causal_mask", o.use_causal_mask);
    f("return_attention_scores", o.return_attention_scores);
    f("name", o.name);
  }
};

/// Attention by a sum: each query's mean of the values, weighted by softmax over the keys of
/// sum over d of scale[d] tanh(q[d] + k[d]).
/// Shapes:   query [batch, query, dim]; value [batch, key, dim_v], key [batch, key, dim], else the
///           value, else the query -> [batch, query, dim_v]; scale [dim]. Scores [batch, query,
///           key].
/// Mask:     supports: a key counts where every mask of key and value is true; the result carries
///           the query's mask. A query without keys gives 0. Scores: the valid pairs.
/// Throws:   OptionError, ShapeError, MaskError (a mask over features).
/// Source:   Bahdanau et al. 2015; Keras 3, AdditiveAttention.
/// Example:  mg::AdditiveAttention attend{{.dropout = 0.1}};
///           mg::build(attend, {spec, spec});
///           attend(y, x);  // [4, 5, 3] under y's mask: each step of y reads x
class AdditiveAttention {
 public:
  using Options = AdditiveAttentionLayerOptions;
  static constexpr std::string_view kind = "AdditiveAttention";
  static constexpr MaskContract contract = detail::attention_contract;
  static constexpr TimeContract time = detail::attention_time;
  TimeContract time_now() const { return detail::time_of_attention(options_.use_causal_mask); }
  std::optional<TimeContract> time_over_context(std::int64_t) const {
    return detail::attention_over_context(options_.dropout > 0, options_.use_causal_mask);
  }

  explicit AdditiveAttention(AdditiveAttentionLayerOptions options = {});
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  Tensor operator()(const Tensor& query, const Tensor& value) {
    return maskgrad::call(*this, Tensors{query, value}).front();
  }
  void build(const Tensors& inputs, Builder& builder);
  Tensors forward(const Tensors& inputs) const;

  template <class Self, class F>
  static void each_parameter(Self& self, F&& f) {
    if (self.options_.use_scale) f("scale", self.scale_);
  }

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  AdditiveAttentionLayerOptions options_;
  Parameter scale_;
  Seed seed_;
};

}  // namespace maskgrad
