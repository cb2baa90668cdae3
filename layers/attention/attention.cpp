#include <maskgrad/layers/attention/attention.hpp>

#include <array>

#include <maskgrad/autograd/ops/attention/additive_attention.hpp>
#include <maskgrad/autograd/ops/attention/attention.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/shape/repeat.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>
#include <maskgrad/core/nearest.hpp>
#include <maskgrad/layers/layer/check.hpp>

namespace maskgrad {

Attention::Attention(AttentionLayerOptions options)
    : info(kind, options.name), options_(std::move(options)) {
  check::rate(kind, "dropout", options_.dropout);
  constexpr std::array<std::string_view, 2> modes = {"dot", "concat"};
  if (options_.score_mode == modes[0] || options_.score_mode == modes[1]) return;
  fail<OptionError>(kind, "the option .score_mode is '{}'; {}", options_.score_mode,
                    nearest_hint(options_.score_mode, modes));
}

void Attention::build(const Tensors& inputs, Builder& builder) {
  detail::attention_inputs(inputs);
  if (options_.use_scale) scale_ = builder.weight("scale", {}, "ones");
  if (concat()) concat_score_weight_ = builder.weight("concat_score_weight", {}, "ones");
  seed_ = options_.seed.value_or(builder.layer_seed());
}

Tensors Attention::dot(const detail::AttentionInputs& in) const {
  // A factor of the queries is one of the scores, and costs no pass over the pairs.
  const Tensor q = expand_dims(options_.use_scale ? in.query * scale_ : in.query, 2);
  const Tensor k = expand_dims(in.key, 2);
  const AttentionOptions options{
      .scale = 1, .causal = options_.use_causal_mask, .dropout = options_.dropout, .seed = seed_};
  Tensors outputs{squeeze(attention(q, k, expand_dims(in.value, 2), options), 2)};
  if (options_.return_attention_scores) {
    outputs.push_back(squeeze(attention_scores(q, detail::valid_keys(k, in.value), options), 3));
  }
  return outputs;
}

Tensors Attention::added(const detail::AttentionInputs& in) const {
  const bool scaled = options_.use_scale;
  const Tensor q = scaled ? in.query * scale_ : in.query, k = scaled ? in.key * scale_ : in.key;
  const Tensor w = broadcast_to(concat_score_weight_, {q.shape()[2]});
  return additive(in, q, k, w,
                  {.causal = options_.use_causal_mask, .dropout = options_.dropout, .seed = seed_},
                  options_.return_attention_scores);
}

Tensors Attention::forward(const Tensors& inputs) const {
  detail::AttentionInputs in = detail::attention_inputs(inputs);
  if (options_.use_causal_mask) {
    auto* slot = detail::keys_slot(in.query, in.key, in.value);
    if (slot) detail::keep_keys(*slot, in.key, in.value);
  }
  return concat() ? added(in) : dot(in);
}

}  // namespace maskgrad
