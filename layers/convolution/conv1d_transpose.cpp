#include <maskgrad/layers/convolution/conv1d_transpose.hpp>

#include <maskgrad/autograd/ops/linear/matmul.hpp>
#include <maskgrad/autograd/ops/shape/permute.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>
#include <maskgrad/layers/layer/check.hpp>

namespace maskgrad {

Conv1DTranspose::Conv1DTranspose(Conv1DTransposeOptions options)
    : info(kind, options.name),
      options_(std::move(options)),
      overlap_{options_.strides, detail::padding_option(kind, options_.padding, false),
               options_.dilation_rate, options_.output_padding},
      end_(options_.use_bias, options_.activation) {
  check::at_least(kind, "filters", options_.filters, 1);
  check::at_least(kind, "kernel_size", options_.kernel_size, 1);
  check::at_least(kind, "strides", options_.strides, 1);
  check::at_least(kind, "dilation_rate", options_.dilation_rate, 1);
  const auto more = options_.output_padding.value_or(0);
  if (more < 0 || more >= options_.strides) {
    fail<OptionError>(kind,
                      "the option .output_padding is {} with .strides {}; expected 0 or more, and "
                      "less than .strides",
                      more, options_.strides);
  }
}

void Conv1DTranspose::build(const Tensor& x, Builder& builder) {
  check::layer_rank(x, 3, "[batch, time, features]");
  check::has_features(x);
  kernel_ = builder.weight("kernel", {options_.kernel_size, options_.filters, x.shape()[2]},
                           options_.kernel_initializer);
  end_.build(options_.filters, builder, options_.bias_initializer);
}

Tensor Conv1DTranspose::forward(const Tensor& x) const {
  check::layer_rank(x, 3, "[batch, time, features]");
  check::features(x, kernel_.shape()[2]);
  const auto width = options_.kernel_size, filters = options_.filters;
  const Tensor kernel = reshape(kernel_, {width * filters, kernel_.shape()[2]});
  const Tensor windows = matmul(x, transpose(kernel, 0, 1));
  return end_(
      overlap_add(reshape(windows, {x.shape()[0], x.shape()[1], width, filters}), overlap_));
}

}  // namespace maskgrad
