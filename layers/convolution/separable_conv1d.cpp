#include <maskgrad/layers/convolution/separable_conv1d.hpp>

#include <maskgrad/autograd/ops/linear/matmul.hpp>
#include <maskgrad/autograd/ops/sequence/depthwise.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>
#include <maskgrad/layers/layer/check.hpp>

namespace maskgrad {

SeparableConv1D::SeparableConv1D(SeparableConv1DOptions options)
    : info(kind, options.name),
      options_(std::move(options)),
      windows_(detail::window_options(kind, options_.kernel_size, options_.strides,
                                      options_.padding, options_.dilation_rate)),
      end_(options_.use_bias, options_.activation) {
  check::at_least(kind, "filters", options_.filters, 1);
  check::at_least(kind, "depth_multiplier", options_.depth_multiplier, 1);
}

void SeparableConv1D::build(const Tensor& x, Builder& builder) {
  check::layer_rank(x, 3, "[batch, time, features]");
  check::has_features(x);
  const auto features = x.shape()[2], multiplier = options_.depth_multiplier;
  depthwise_kernel_ =
      builder.weight("depthwise_kernel", {options_.kernel_size, features, multiplier},
                     options_.depthwise_initializer);
  pointwise_kernel_ =
      builder.weight("pointwise_kernel", {1, features * multiplier, options_.filters},
                     options_.pointwise_initializer);
  end_.build(options_.filters, builder, options_.bias_initializer);
}

Tensor SeparableConv1D::forward(const Tensor& x) const {
  check::layer_rank(x, 3, "[batch, time, features]");
  check::features(x, depthwise_kernel_.shape()[1]);
  const Tensor y = depthwise(windows(x, windows_), depthwise_kernel_);
  return end_(matmul(y, squeeze(pointwise_kernel_, 0)));
}

}  // namespace maskgrad
