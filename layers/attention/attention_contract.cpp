#include <maskgrad/layers/attention/attention_contract.hpp>

#include <maskgrad/autograd/ops/attention/additive_attention.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>
#include <maskgrad/layers/layer/check.hpp>

namespace maskgrad::detail {

AttentionInputs attention_inputs(const Tensors& inputs) {
  if (inputs.size() > 3) {
    fail<ShapeError>(layer_title(),
                     "got {} inputs; expected a query, and a value and a key where they differ",
                     inputs.size());
  }
  for (const auto& x : inputs) check::layer_rank(x, 3, "[batch, time, features]");
  const Tensor& value = inputs.size() > 1 ? inputs[1] : inputs[0];
  return {inputs[0], value, inputs.size() > 2 ? inputs[2] : value};
}

Tensor valid_keys(const Tensor& key, const Tensor& value) {
  return value.has_mask() ? with_mask(key, value.mask()) : key;
}

Tensors additive(const AttentionInputs& in, const Tensor& query, const Tensor& key, const Tensor& w,
                 const AdditiveAttentionOptions& options, bool scores) {
  Tensors outputs{additive_attention(query, key, in.value, w, options)};
  if (scores) {
    outputs.push_back(additive_attention_scores(query, valid_keys(key, in.value), w, options));
  }
  return outputs;
}

}  // namespace maskgrad::detail
