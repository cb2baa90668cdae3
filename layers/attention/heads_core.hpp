#pragma once

#include <optional>

#include <maskgrad/core/random.hpp>
#include <maskgrad/layers/attention/attention_contract.hpp>
#include <maskgrad/layers/layer/layer.hpp>

namespace maskgrad::detail {

/// What MultiHeadAttention and GroupedQueryAttention have in common: projections to heads,
/// attention, and the projection back.
struct HeadsSettings {
  std::int64_t heads = 1, kv_heads = 1;
  std::int64_t key_dim = 1, value_dim = 1;
  double dropout = 0;
  bool use_bias = true;
  std::optional<std::int64_t> output_shape = {};  ///< none: the query's features
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  std::optional<Seed> seed = {};
  bool causal = false;
  std::optional<std::int64_t> window = {};
  std::optional<double> rotary_max_wavelength = {};
  bool return_scores = false;
};

class HeadsCore {
 public:
  explicit HeadsCore(HeadsSettings settings) : settings_(std::move(settings)) {}

  void build(const Tensors& inputs, Builder& builder);
  /// Inputs: query, value, key (absent: as Keras, see attention_inputs); outputs: the result, then
  /// the scores where they are wanted.
  Tensors forward(const Tensors& inputs) const;

  template <class Self, class F>
  static void each_parameter(Self& self, F&& f) {
    const bool bias = self.settings_.use_bias;
    f("query/kernel", self.query_.kernel);
    if (bias) f("query/bias", self.query_.bias);
    f("key/kernel", self.key_.kernel);
    if (bias) f("key/bias", self.key_.bias);
    f("value/kernel", self.value_.kernel);
    if (bias) f("value/bias", self.value_.bias);
    f("output/kernel", self.output_.kernel);
    if (bias) f("output/bias", self.output_.bias);
  }

 private:
  struct Projection {
    Parameter kernel, bias;
  };
  Projection projection(const std::string& name, const Shape& kernel, const Shape& bias,
                        Builder& builder) const;
  Tensor to_heads(const Tensor& x, const Projection& p) const;
  /// Key and value in heads; those of a stream's context are made once.
  Tensors keys_and_values(const AttentionInputs& in) const;
  /// Turns queries and keys by their positions.
  void turn(Tensor& q, Tensor& k) const;
  Tensor from_heads(const Tensor& context) const;

  HeadsSettings settings_;
  Projection query_, key_, value_, output_;
  Seed seed_;
};

}  // namespace maskgrad::detail
