#include <maskgrad/layers/basic/dense.hpp>

#include <maskgrad/autograd/ops/linear/matmul.hpp>
#include <maskgrad/layers/layer/check.hpp>

namespace maskgrad {

Dense::Dense(DenseOptions options)
    : info(kind, options.name),
      options_(std::move(options)),
      activation_(activation(options_.activation)) {
  check::at_least(kind, "units", options_.units, 1);
}

void Dense::build(const Tensor& x, Builder& builder) {
  check::has_features(x);
  kernel_ =
      builder.weight("kernel", {x.shape().back(), options_.units}, options_.kernel_initializer);
  if (options_.use_bias) {
    bias_ = builder.weight("bias", {options_.units}, options_.bias_initializer);
  }
}

Tensor Dense::forward(const Tensor& x) const {
  check::features(x, kernel_.shape()[0]);
  return activation_(matmul(x, kernel_, options_.use_bias ? bias_.tensor() : Tensor()));
}

}  // namespace maskgrad
