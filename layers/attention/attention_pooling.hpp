#pragma once

#include <optional>

#include <maskgrad/layers/layer/layer.hpp>

namespace maskgrad {

struct AttentionPooling1DOptions {
  std::int64_t num_heads = 1;  ///< each with its part of the features, and weights of its own
  double dropout = 0;          ///< of the weights
  Initializer query_initializer = "glorot_uniform";
  std::optional<Seed> seed = {};
  bool keepdims = false;
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("num_heads", o.num_heads);
    f("dropout", o.dropout);
    f("query_initializer", o.query_initializer);
    f("seed", o.seed);
    f("keepdims", o.keepdims);
    f("name", o.name);
  }
};

/// Mean over each sequence's valid steps, weighted by what a learned query makes of them:
///   y = sum over t of softmax over t(query x[t] / sqrt(dim)) x[t], in each head
/// Shapes:   x [batch, time, features] -> [batch, features], with keepdims [batch, 1, features];
///           query [num_heads, dim], dim = features / num_heads.
/// Mask:     consumes; a sequence without a valid step is masked in the result.
/// Throws:   OptionError, ShapeError, MaskError (a mask over features).
/// Source:   ours; Yang et al. 2016, Hierarchical Attention Networks, by dot products.
/// Example:  mg::AttentionPooling1D pool{{.num_heads = 3}};
///           mg::build(pool, spec);
///           pool(x);  // [4, 3]
class AttentionPooling1D {
 public:
  using Options = AttentionPooling1DOptions;
  static constexpr std::string_view kind = "AttentionPooling1D";
  static constexpr MaskContract contract{
      .role = MaskRole::consumes,
      .why = "averages each sequence's valid steps, weighted by a learned query",
      .sample_role = MaskRole::propagates,
      .full_role = MaskRole::unsupported,
      .ways_out = detail::mask_whole_steps,
      .keras = "has none"};
  static constexpr TimeContract time = detail::result_so_far;
  TimeContract time_now() const {
    TimeContract now = time;
    now.evaluate_only = options_.dropout > 0;  // weights are dropped by the rank of their step
    return now;
  }

  explicit AttentionPooling1D(AttentionPooling1DOptions options = {});
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  void build(const Tensor& x, Builder& builder);
  Tensor forward(const Tensor& x) const;

  template <class Self, class F>
  static void each_parameter(Self& self, F&& f) {
    f("query", self.query_);
  }

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  AttentionPooling1DOptions options_;
  Parameter query_;
  Seed seed_;
};

}  // namespace maskgrad
