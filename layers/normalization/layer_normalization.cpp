#include <maskgrad/layers/normalization/layer_normalization.hpp>

namespace maskgrad {

LayerNormalization::LayerNormalization(LayerNormalizationOptions options)
    : info(kind, options.name),
      options_(std::move(options)),
      weights_(options_.scale, options_.center) {
  check::epsilon(kind, options_.epsilon);
}

void LayerNormalization::build(const Tensor& x, Builder& builder) {
  weights_.build(x, builder, options_.gamma_initializer, options_.beta_initializer);
}

Tensor LayerNormalization::forward(const Tensor& x) const {
  check::feature_axis(x, options_.axis);
  weights_.check(x);
  return layer_normalize(x, options_.epsilon, weights_.affine());
}

}  // namespace maskgrad
