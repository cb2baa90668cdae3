#include <maskgrad/layers/convolution/conv1d.hpp>

#include <array>

#include <maskgrad/autograd/ops/arithmetic.hpp>
#include <maskgrad/autograd/ops/matmul.hpp>
#include <maskgrad/autograd/ops/reshape.hpp>
#include <maskgrad/core/nearest.hpp>
#include <maskgrad/layers/check.hpp>

namespace maskgrad {
namespace {

Padding padding_of(std::string_view kind, const std::string& name) {
  constexpr std::array<std::string_view, 3> names = {"valid", "same", "causal"};
  if (name == names[0]) return Padding::valid;
  if (name == names[1]) return Padding::same;
  if (name == names[2]) return Padding::causal;
  fail<OptionError>(kind, "the option .padding is '{}'; {}", name, nearest_hint(name, names));
}

}  // namespace

Conv1DCore::Conv1DCore(std::string_view kind, Conv1DOptions options)
    : options_(std::move(options)),
      windows_{options_.kernel_size, options_.strides, padding_of(kind, options_.padding),
               options_.dilation_rate},
      activation_(activation(options_.activation)) {
  check::at_least(kind, "filters", options_.filters, 1);
  check::at_least(kind, "kernel_size", options_.kernel_size, 1);
  check::at_least(kind, "strides", options_.strides, 1);
  check::at_least(kind, "dilation_rate", options_.dilation_rate, 1);
}

void Conv1DCore::build(const LayerInfo& info, std::string_view kind, const Tensor& x,
                       Builder& builder) {
  check::layer_rank(info, kind, x, 3, "[batch, time, features]");
  check::has_features(info, kind, x);
  kernel_ = builder.weight("kernel", {options_.kernel_size, x.shape()[2], options_.filters},
                           options_.kernel_initializer);
  if (options_.use_bias) {
    bias_ = builder.weight("bias", {options_.filters}, options_.bias_initializer);
  }
}

Tensor Conv1DCore::forward(const LayerInfo& info, std::string_view kind, const Tensor& x) const {
  check::layer_rank(info, kind, x, 3, "[batch, time, features]");
  check::features(info, kind, x, kernel_.shape()[1]);
  const auto width = kernel_.shape()[0] * kernel_.shape()[1];
  const Tensor w = windows(x, windows_);
  const Tensor flat = reshape(w, {w.shape()[0], w.shape()[1], width});
  Tensor y = matmul(flat, reshape(kernel_, {width, options_.filters}));
  if (options_.use_bias) y = y + bias_;
  return activation_(y);
}

}  // namespace maskgrad
