#include <maskgrad/layers/attention/additive_attention.hpp>

#include <maskgrad/autograd/ops/attention/additive_attention.hpp>
#include <maskgrad/layers/layer/check.hpp>

namespace maskgrad {

AdditiveAttention::AdditiveAttention(AdditiveAttentionLayerOptions options)
    : info(kind, options.name), options_(std::move(options)) {
  check::rate(kind, "dropout", options_.dropout);
}

void AdditiveAttention::build(const Tensors& inputs, Builder& builder) {
  const auto query = detail::attention_inputs(inputs).query;
  check::has_features(query);
  if (options_.use_scale) {
    scale_ = builder.weight("scale", {query.shape()[2]}, "glorot_uniform");
  }
  seed_ = options_.seed.value_or(builder.layer_seed());
}

Tensors AdditiveAttention::forward(const Tensors& inputs) const {
  detail::AttentionInputs in = detail::attention_inputs(inputs);
  if (options_.use_causal_mask) {
    auto* slot = detail::keys_slot(in.query, in.key, in.value);
    if (slot) detail::keep_keys(*slot, in.key, in.value);
  }
  if (options_.use_scale) check::features(in.query, scale_.shape()[0]);
  const Tensor w =
      options_.use_scale ? scale_.tensor() : ones({in.query.shape()[2]}, in.query.dtype());
  return additive(in, in.query, in.key, w,
                  {.causal = options_.use_causal_mask, .dropout = options_.dropout, .seed = seed_},
                  options_.return_attention_scores);
}

}  // namespace maskgrad
