#include <maskgrad/layers/normalization/rms_normalization.hpp>

#include <maskgrad/layers/layer/check.hpp>

namespace maskgrad {

RMSNormalization::RMSNormalization(RMSNormalizationOptions options)
    : info(kind, options.name), options_(std::move(options)) {
  check::epsilon(kind, options_.epsilon);
}

void RMSNormalization::build(const Tensor& x, Builder& builder) {
  check::has_features(x);
  scale_ = builder.weight("scale", {x.shape().back()}, "ones");
}

Tensor RMSNormalization::forward(const Tensor& x) const {
  check::feature_axis(x, options_.axis);
  check::features(x, scale_.shape()[0]);
  return layer_normalize(x, options_.epsilon, {scale_.tensor(), {}}, false);
}

}  // namespace maskgrad
