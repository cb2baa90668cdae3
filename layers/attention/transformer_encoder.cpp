#include <maskgrad/layers/attention/transformer_encoder.hpp>

namespace maskgrad {

TransformerEncoder::TransformerEncoder(TransformerEncoderOptions options)
    : info(kind, options.name),
      options_(std::move(options)),
      attention_(detail::transformer_settings(kind, options_), true,
                 options_.return_attention_scores),
      feedforward_(detail::transformer_settings(kind, options_)) {}

void TransformerEncoder::build(const Tensor& x, Builder&) {
  check::layer_rank(x, 3, "[batch, time, features]");
  check::has_features(x);
  attention_.fit(x);
  feedforward_.fit(x);
}

Tensors TransformerEncoder::forward(const Tensor& x) {
  Tensors outputs = attention_(x, {});
  outputs[0] = feedforward_(outputs[0]);
  return outputs;
}

}  // namespace maskgrad
