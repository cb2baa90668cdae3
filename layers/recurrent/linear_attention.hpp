#pragma once

#include <optional>

#include <maskgrad/layers/layer/initializer.hpp>
#include <maskgrad/layers/layer/options.hpp>
#include <maskgrad/layers/recurrent/linear_layer.hpp>

namespace maskgrad {

struct LinearAttentionOptions {
  std::int64_t num_heads;
  std::int64_t key_dim;
  std::optional<std::int64_t> value_dim = {};  ///< none: key_dim
  std::string decay = "fixed";                 ///< fixed for each head, learned for each step, none
  bool use_bias = true;
  std::optional<std::int64_t> output_shape = {};  ///< none: the input's features
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  bool return_sequences = false;
  bool return_state = false;
  bool go_backwards = false;
  bool stateful = false;
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f(extend::required("num_heads"), o.num_heads);
    f(extend::required("key_dim"), o.key_dim);
    f("value_dim", o.value_dim);
    f("decay", o.decay);
    f("use_bias", o.use_bias);
    f("output_shape", o.output_shape);
    f("kernel_initializer", o.kernel_initializer);
    f("bias_initializer", o.bias_initializer);
    RNNOptions::each_option(o, f);
  }
};

namespace detail {

/// The weights of LinearAttention, and how they run over whole sequences.
class LinearAttentionCore {
 public:
  using Options = LinearAttentionOptions;
  static constexpr bool output_is_state = false, one_state = true;

  explicit LinearAttentionCore(LinearAttentionOptions options);
  void build(const Tensor& x, Builder& builder);
  std::vector<std::int64_t> state_sizes() const {
    return {options_.num_heads * options_.key_dim * value_dim()};
  }
  Tensor enter(const Tensor& x) const;
  Tensors run_whole(const Tensor& x, const Tensors& states, bool backwards) const;
  const LinearAttentionOptions& options() const { return options_; }

  template <class Self, class F>
  static void each_parameter(Self& self, F&& f) {
    each_projection(self, [&](const std::string& name, auto& p) {
      f(name + "/kernel", p.kernel);
      if (self.options_.use_bias) f(name + "/bias", p.bias);
    });
  }

 private:
  struct Projection {
    Parameter kernel, bias;
  };
  template <class Self, class F>
  static void each_projection(Self& self, F&& f) {
    f("query", self.query_);
    f("key", self.key_);
    f("value", self.value_);
    if (self.learned()) f("decay", self.decay_);
    f("output", self.output_);
  }
  std::int64_t value_dim() const { return options_.value_dim.value_or(options_.key_dim); }
  bool learned() const { return options_.decay == "learned"; }
  /// x [batch, time, features] -> [batch, time, heads, dim].
  Tensor to_heads(const Tensor& x, const Projection& p) const;
  Tensor log_decay(const Tensor& x) const;

  LinearAttentionOptions options_;
  Projection query_, key_, value_, decay_, output_;
};

}  // namespace detail

/// Attention without softmax, in several heads, whose past decays, over each sequence's valid
/// steps.
///   S' = g S + k v^T,  y = q S' / sqrt(key_dim), of all heads projected back
/// `decay`: g = 1 - 2^(-5 - head) fixed, or sigmoid(x w + b)^(1/16) learned, or none: 1.
/// Shapes:   x [batch, time, features] -> the last output [batch, out], or all [batch, time, out].
///           query/kernel, key/kernel, value/kernel [features, heads, dim], bias [heads, dim];
///           decay/kernel [features, heads, 1]; output/kernel [heads, value_dim, out]. The state is
///           S, [batch, heads key_dim value_dim].
/// Mask:     as GRU. Throws: OptionError, ShapeError, MaskError (a mask over features).
/// Source:   Sun et al. 2023, arXiv:2307.08621; Yang et al. 2023, arXiv:2312.06635 (learned).
/// Example:  mg::LinearAttention attend{{.num_heads = 2, .key_dim = 4, .return_sequences = true}};
///           mg::build(attend, spec);
///           attend(x);  // [4, 5, 3]
class LinearAttention : public detail::LinearLayer<LinearAttention, detail::LinearAttentionCore> {
 public:
  static constexpr std::string_view kind = "LinearAttention";
  using LinearLayer::LinearLayer;
};

}  // namespace maskgrad
