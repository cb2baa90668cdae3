#include <maskgrad/layers/attention/heads_core.hpp>

#include <fmt/format.h>

#include <cmath>

#include <maskgrad/autograd/mode.hpp>
#include <maskgrad/autograd/ops/attention/attention.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/linear/matmul.hpp>
#include <maskgrad/autograd/ops/sequence/positions.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>
#include <maskgrad/autograd/plans/sequences.hpp>
#include <maskgrad/layers/attention/positions.hpp>
#include <maskgrad/layers/layer/check.hpp>
#include <maskgrad/layers/layer/so_far.hpp>

namespace maskgrad::detail {
namespace {

/// i64 [batch]: the valid steps of each sequence of x [batch, time, ...].
Tensor sequence_lengths(const Tensor& x) {
  const auto length = samples_of(x).length;
  return tensor(std::vector<std::int64_t>(length.begin(), length.end()), {length.size()});
}

}  // namespace

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

Tensors HeadsCore::keys_and_values(const AttentionInputs& in) const {
  const auto made = [this](const Tensors& xs) {
    return Tensors{to_heads(xs[0], key_), to_heads(xs[1], value_)};
  };
  auto* run = StreamRun::current();
  if (!run || !run->is_context(in.key) || !run->is_context(in.value)) {
    return made({in.key, in.value});
  }
  const auto path = extend::LayerScope::current()->path();
  return run->once(fmt::format("{} keys", path), {in.key, in.value}, made);
}

Tensor HeadsCore::from_heads(const Tensor& context) const {
  const Shape& kernel = output_.kernel.shape();
  const auto width = kernel[0] * kernel[1];
  const Tensor flat = reshape(context, context.shape().sub(0, 2) + Shape{width});
  return matmul(flat, reshape(output_.kernel, {width, kernel[2]}),
                settings_.use_bias ? output_.bias.tensor() : Tensor());
}

void HeadsCore::turn(Tensor& q, Tensor& k) const {
  const auto dim = q.shape()[3];
  const auto frequencies = rotary_frequencies(dim, *settings_.rotary_max_wavelength);
  const Tensor of_keys = positions_so_far(k, 0);
  const bool same = q.shape()[1] == k.shape()[1] && q.mask() == k.mask();
  Tensor of_queries = same ? of_keys : positions(q);
  if (!same && settings_.causal && !q.is_meta()) {  // the last query is at the last key
    const Tensor later = sequence_lengths(k) - sequence_lengths(q);
    of_queries = of_queries + expand_dims(later, 1);
  }
  q = rotate_by_position(q, frequencies, of_queries);
  k = rotate_by_position(k, frequencies, of_keys);
}

Tensors HeadsCore::forward(const Tensors& inputs) const {
  const AttentionInputs in = attention_inputs(inputs);
  check::features(in.query, query_.kernel.shape()[0]);
  check::features(in.value, value_.kernel.shape()[0]);
  check::features(in.key, key_.kernel.shape()[0]);
  Tensor q = to_heads(in.query, query_);
  const Tensors kept = keys_and_values(in);
  Tensor k = kept[0], v = kept[1];
  if (settings_.rotary_max_wavelength) turn(q, k);
  const AttentionOptions options{.causal = settings_.causal,
                                 .window = settings_.window,
                                 .dropout = settings_.dropout,
                                 .seed = seed_};
  auto* slot = settings_.causal ? keys_slot(q, k, v) : nullptr;
  const bool drops = training() && settings_.dropout > 0;
  if (slot && StreamRun::current()->in_place() && !recording() && !drops &&
      !settings_.return_scores) {
    return {from_heads(attend_to_kept(*slot, q, k, v, options))};
  }
  if (slot) keep_keys(*slot, k, v, settings_.window);
  Tensors outputs{from_heads(attention(q, k, v, options))};
  if (settings_.return_scores) outputs.push_back(attention_scores(q, valid_keys(k, v), options));
  return outputs;
}

}  // namespace maskgrad::detail
