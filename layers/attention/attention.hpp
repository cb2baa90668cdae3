#pragma once

#include <optional>

#include <maskgrad/layers/attention/attention_contract.hpp>

namespace maskgrad {

struct AttentionLayerOptions {
  bool use_scale = false;          ///< a weight that the scores are multiplied by
  std::string score_mode = "dot";  ///< dot, or concat: weight sum(tanh(scale (q + k)))
  double dropout = 0;              ///< of the weights
  std::optional<Seed> seed = {};
  bool use_causal_mask = false;          ///< a query sees no key behind its own; the last ones meet
  bool return_attention_scores = false;  ///< the scores as a second output
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("use_scale", o.use_scale);
    f("score_mode", o.score_mode);
    f("dropout", o.dropout);
    f("seed", o.seed);
    f("use_causal_mask", o.use_causal_mask);
    f("return_attention_scores", o.return_attention_scores);
    f("name", o.name);
  }
};

/// Attention of the inputs as they are: softmax(scale q k^T) v, the scale 1 or a weight.
/// Shapes:   query [batch, query, dim]; value [batch, key, dim_v], key [batch, key, dim], else the
///           value, else the query -> [batch, query, dim_v]; scale [], concat_score_weight [].
///           Scores [batch, query, key].
/// Mask:     supports: a key counts where every mask of key and value is true; the result carries
///           the query's mask. A query without keys gives 0. Scores: the valid pairs.
/// Throws:   OptionError, ShapeError, MaskError (a mask over features).
/// Source:   Luong et al. 2015; Keras 3, Attention.
/// Example:  mg::Attention self{{.use_scale = true, .use_causal_mask = true}};
///           mg::build(self, spec);
///           self(x);  // [4, 5, 3]: a step reads itself and those before it
class Attention {
 public:
  using Options = AttentionLayerOptions;
  static constexpr std::string_view kind = "Attention";
  static constexpr MaskContract contract = detail::attention_contract;
  static constexpr TimeContract time = detail::attention_time;
  TimeContract time_now() const { return detail::time_of_attention(options_.use_causal_mask); }
  std::optional<TimeContract> time_over_context(std::int64_t) const {
    return detail::attention_over_context(options_.dropout > 0, options_.use_causal_mask);
  }

  explicit Attention(AttentionLayerOptions options = {});
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  Tensor operator()(const Tensor& query, const Tensor& value) {
    return maskgrad::call(*this, Tensors{query, value}).front();
  }
  void build(const Tensors& inputs, Builder& builder);
  Tensors forward(const Tensors& inputs) const;

  template <class Self, class F>
  static void each_parameter(Self& self, F&& f) {
    if (self.options_.use_scale) f("scale", self.scale_);
    if (self.concat()) f("concat_score_weight", self.concat_score_weight_);
  }

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  bool concat() const { return options_.score_mode == "concat"; }
  Tensors dot(const detail::AttentionInputs& in) const;
  Tensors added(const detail::AttentionInputs& in) const;

  AttentionLayerOptions options_;
  Parameter scale_, concat_score_weight_;
  Seed seed_;
};

}  // namespace maskgrad
