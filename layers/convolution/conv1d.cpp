#include <maskgrad/layers/convolution/conv1d.hpp>

#include <maskgrad/autograd/ops/linear/matmul.hpp>
#include <maskgrad/autograd/ops/shape/concatenate.hpp>
#include <maskgrad/autograd/ops/shape/reshape.hpp>
#include <maskgrad/autograd/ops/shape/slice.hpp>
#include <maskgrad/layers/layer/check.hpp>

namespace maskgrad {

detail::Conv1DCore::Conv1DCore(std::string_view kind, Conv1DOptions options)
    : options_(std::move(options)),
      windows_(detail::window_options(kind, options_.kernel_size, options_.strides,
                                      options_.padding, options_.dilation_rate)),
      end_(options_.use_bias, options_.activation) {
  check::at_least(kind, "filters", options_.filters, 1);
  check::at_least(kind, "groups", options_.groups, 1);
  if (options_.filters % options_.groups != 0) {
    fail<OptionError>(kind, "the option .groups is {} with .filters {}; expected a divisor of it",
                      options_.groups, options_.filters);
  }
}

void detail::Conv1DCore::build(const Tensor& x, Builder& builder) {
  check::layer_rank(x, 3, "[batch, time, features]");
  check::has_features(x);
  const auto features = x.shape()[2], groups = options_.groups;
  if (features % groups != 0) {
    fail<ShapeError>(detail::layer_title(),
                     "input is {} with .groups {}; expected a multiple of it as the number of "
                     "features. Choose .groups that divides {}",
                     x.describe(), groups, features);
  }
  kernel_ = builder.weight("kernel", {options_.kernel_size, features / groups, options_.filters},
                           options_.kernel_initializer);
  end_.build(options_.filters, builder, options_.bias_initializer);
}

Tensor detail::Conv1DCore::forward(const Tensor& x) const {
  check::layer_rank(x, 3, "[batch, time, features]");
  const auto groups = options_.groups;
  const auto in = kernel_.shape()[1], out = options_.filters / groups;
  check::features(x, in * groups);
  const Tensor w = windows(x, windows_);
  const Shape rows{w.shape()[0], w.shape()[1], options_.kernel_size * in};
  std::vector<Tensor> parts;
  for (std::int64_t g = 0; g < groups; ++g) {
    const Tensor kernel = slice(kernel_, -1, g * out, (g + 1) * out);
    parts.push_back(
        matmul(reshape(slice(w, -1, g * in, (g + 1) * in), rows), reshape(kernel, {rows[2], out})));
  }
  return end_(groups == 1 ? parts[0] : concatenate(parts, -1));
}

}  // namespace maskgrad
