#include <maskgrad/layers/attention/transformer_parts.hpp>

#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>

namespace maskgrad::detail {
namespace {

/// The layer with other options, in its place in the model.
template <class L, class Change>
L changed(const L& layer, Change&& change) {
  auto options = layer.options();
  change(options);
  L made(options);
  made.info = layer.info;
  return made;
}

}  // namespace

ResidualPart::ResidualPart(const TransformerSettings& s)
    : norm_({.epsilon = s.layer_norm_epsilon}),
      dropout_({.rate = s.dropout}),
      first_(s.normalize_first) {}

Tensor ResidualPart::together(const Tensor& x, const Tensor& change) const {
  const Tensors both = met(norm_.info.path, 0, {change, x});
  return both[0] + both[1];
}

AttentionPart::AttentionPart(const TransformerSettings& s, bool own, bool scores)
    : attention_({.num_heads = s.num_heads,
                  .key_dim = 1,  // until `fit`
                  .dropout = s.dropout,
                  .kernel_initializer = s.kernel_initializer,
                  .bias_initializer = s.bias_initializer,
                  .use_causal_mask = own && s.causal,
                  .window = own ? s.window : std::nullopt,
                  .return_attention_scores = scores}),
      rotary_max_wavelength_(own ? s.rotary_max_wavelength : std::nullopt),
      residual_(s) {}

void AttentionPart::fit(const Tensor& x) {
  const auto features = x.shape()[2], heads = attention_.options().num_heads;
  if (features < heads) {
    fail<OptionError>(layer_title(),
                      "input is {} with {} features; expected as many as .num_heads, {}, or more",
                      x.describe(), features, heads);
  }
  if (rotary_max_wavelength_ && features / heads % 2 != 0) {
    fail<OptionError>(layer_title(),
                      "input is {} with {} features for {} heads, {} each; expected an even number "
                      "for each with .rotary_max_wavelength",
                      x.describe(), features, heads, features / heads);
  }
  attention_ = changed(attention_, [&](auto& o) {
    o.key_dim = features / heads;
    o.rotary_max_wavelength = rotary_max_wavelength_;
  });
}

Tensors AttentionPart::operator()(const Tensor& x, const Tensors& memory) {
  Tensors outputs;
  const Tensor y = residual_(x, [&](const Tensor& query) {
    outputs = call(attention_, memory.empty() ? Tensors{query} : Tensors{query, memory[0]});
    return outputs[0];
  });
  outputs[0] = y;
  return outputs;
}

FeedforwardPart::FeedforwardPart(const TransformerSettings& s)
    : intermediate_({.units = s.intermediate_dim,
                     .activation = s.activation,
                     .kernel_initializer = s.kernel_initializer,
                     .bias_initializer = s.bias_initializer}),
      output_({.units = 1,  // until `fit`
               .kernel_initializer = s.kernel_initializer,
               .bias_initializer = s.bias_initializer}),
      residual_(s) {}

void FeedforwardPart::fit(const Tensor& x) {
  output_ = changed(output_, [&](auto& o) { o.units = x.shape()[2]; });
}

Tensor FeedforwardPart::operator()(const Tensor& x) {
  return residual_(x, [this](const Tensor& y) { return output_(intermediate_(y)); });
}

}  // namespace maskgrad::detail
