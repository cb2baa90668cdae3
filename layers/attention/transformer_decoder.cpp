#include <maskgrad/layers/attention/transformer_decoder.hpp>

namespace maskgrad {

TransformerDecoder::TransformerDecoder(TransformerDecoderOptions options)
    : info(kind, options.name),
      options_(std::move(options)),
      attention_(detail::transformer_settings(kind, options_), true, false),
      cross_(detail::transformer_settings(kind, options_), false, false),
      feedforward_(detail::transformer_settings(kind, options_)) {}

void TransformerDecoder::build(const Tensors& inputs, Builder&) {
  for (const auto& x : inputs) {
    check::layer_rank(x, 3, "[batch, time, features]");
    check::has_features(x);
  }
  crosses_ = inputs.size() > 1;
  attention_.fit(inputs[0]);
  cross_.fit(inputs[0]);
  feedforward_.fit(inputs[0]);
}

TimeContract TransformerDecoder::time_now() const {
  if (info.built && crosses_) {
    return TimeContract::whole(
        "it reads the encoder's sequence as a whole",
        "the encoder's sequence as the stream's .context · a decoder that is "
        "built without one");
  }
  return detail::time_of_block(options_);
}

std::optional<TimeContract> TransformerDecoder::time_over_context(std::int64_t) const {
  TimeContract time = detail::time_of_block(options_);
  time.evaluate_only = options_.dropout > 0;
  return time;
}

Tensors TransformerDecoder::forward(const Tensors& inputs) {
  if (inputs.size() != (crosses_ ? 2 : 1)) {
    fail<ShapeError>(kind,
                     "got {} inputs; expected {}, as it was built. Build one for each use, with or "
                     "without an encoder's sequence",
                     inputs.size(),
                     crosses_ ? "its own sequence and the encoder's" : "its own sequence alone");
  }
  Tensor x = attention_(inputs[0], {})[0];
  if (crosses_) x = cross_(x, {inputs[1]})[0];
  return {feedforward_(x)};
}

}  // namespace maskgrad
