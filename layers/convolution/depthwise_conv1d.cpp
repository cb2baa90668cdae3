#include <maskgrad/layers/convolution/depthwise_conv1d.hpp>

#include <maskgrad/autograd/ops/sequence/depthwise.hpp>
#include <maskgrad/layers/layer/check.hpp>

namespace maskgrad {

DepthwiseConv1D::DepthwiseConv1D(DepthwiseConv1DOptions options)
    : info(kind, options.name),
      options_(std::move(options)),
      windows_(detail::window_options(kind, options_.kernel_size, options_.strides,
                                      options_.padding, options_.dilation_rate)),
      end_(options_.use_bias, options_.activation) {
  check::at_least(kind, "depth_multiplier", options_.depth_multiplier, 1);
}

void DepthwiseConv1D::build(const Tensor& x, Builder& builder) {
  check::layer_rank(x, 3, "[batch, time, features]");
  check::has_features(x);
  const auto features = x.shape()[2], multiplier = options_.depth_multiplier;
  kernel_ = builder.weight("kernel", {options_.kernel_size, features, multiplier},
                           options_.depthwise_initializer);
  end_.build(features * multiplier, builder, options_.bias_initializer);
}

Tensor DepthwiseConv1D::forward(const Tensor& x) const {
  check::layer_rank(x, 3, "[batch, time, features]");
  check::features(x, kernel_.shape()[1]);
  return end_(depthwise(windows(x, windows_), kernel_));
}

}  // namespace maskgrad
