#include <maskgrad/layers/attention/heads_core.hpp>

#include <maskgrad/autograd/ops/attention/attention.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/linear/matmul.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>
#include <maskgrad/layers/layer/check.hpp>

namespace maskgrad::detail {

HeadsCore::Projection HeadsCore::projection(const std::string& name, const Shape& kernel,
                                            const Shape& bias, Builder& builder) const {
  Projection p{builder.weight(name + "/kernel", kernel, settings_.kernel_initializer), {}};
  if (settings_.use_bias) p.bias = builder.weight(name + "/bias", bias, settings_.bias_initializer);
  return p;
}

void HeadsCore::build(const Tensors& inputs, Builder& builder) {
  const auto& s = settings_;
  const AttentionInputs in = attention_inputs(inputs);
  for (const auto& x : inputs) check::has_features(x);
  const auto made = [&](const char* name, const Tensor& x, std::int64_t heads, std::int64_t dim) {
    return projection(name, {x.shape()[2], heads, dim}, {heads, dim}, builder);
  };
  query_ = made("query", in.query, s.heads, s.key_dim);
  key_ = made("key", in.key, s.kv_heads, s.key_dim);
  value_ = made("value", in.value, s.kv_heads, s.value_dim);
  const auto out = s.output_shape.value_or(in.query.shape()[2]);
  output_ = projection("output", {s.heads, s.value_dim, out}, {out}, builder);
  seed_ = s.seed.value_or(builder.layer_seed());
}

Tensor HeadsCore::to_heads(const Tensor& x, const Projection& p) const {
  const Shape& kernel = p.kernel.shape();
  const auto heads = kernel[1], dim = kernel[2];
  const Tensor bias = settings_.use_bias ? reshape(p.bias, {heads * dim}) : Tensor();
  const Tensor flat = matmul(x, reshape(p.kernel, {kernel[0], heads * dim}), bias);
  return reshape(flat, x.shape().sub(0, 2) + Shape{heads, dim});
}

Tensor HeadsCore::from_heads(const Tensor& context) const {
  const Shape& kernel = output_.kernel.shape();
  const auto width = kernel[0] * kernel[1];
  const Tensor flat = reshape(context, context.shape().sub(0, 2) + Shape{width});
  return matmul(flat, reshape(output_.kernel, {width, kernel[2]}),
                settings_.use_bias ? output_.bias.tensor() : Tensor());
}

Tensors HeadsCore::forward(const Tensors& inputs) const {
  const AttentionInputs in = attention_inputs(inputs);
  check::features(in.query, query_.kernel.shape()[0]);
  check::features(in.value, value_.kernel.shape()[0]);
  check::features(in.key, key_.kernel.shape()[0]);
  const Tensor q = to_heads(in.query, query_), v = to_heads(in.value, value_);
  const Tensor k = to_heads(in.key, key_);
  const AttentionOptions options{
      .causal = settings_.causal, .dropout = settings_.dropout, .seed = seed_};
  Tensors outputs{from_heads(attention(q, k, v, options))};
  if (settings_.return_scores) outputs.push_back(attention_scores(q, valid_keys(k, v), options));
  return outputs;
}

}  // namespace maskgrad::detail
