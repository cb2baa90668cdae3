#include <maskgrad/layers/convolution/window_layers.hpp>

#include <algorithm>
#include <array>

#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/core/nearest.hpp>
#include <maskgrad/layers/layer/check.hpp>

namespace maskgrad::detail {

Padding padding_option(std::string_view kind, const std::string& padding, bool causal) {
  static constexpr std::array<std::string_view, 3> all{"valid", "same", "causal"};
  const std::span names = std::span(all).first(causal ? 3 : 2);
  const auto at = std::find(names.begin(), names.end(), padding);
  if (at == names.end()) {
    fail<OptionError>(kind, "the option .padding is '{}'; {}", padding,
                      nearest_hint(padding, names));
  }
  return static_cast<Padding>(at - names.begin());
}

WindowOptions window_options(std::string_view kind, std::int64_t kernel_size, std::int64_t strides,
                             const std::string& padding, std::int64_t dilation_rate) {
  check::at_least(kind, "kernel_size", kernel_size, 1);
  check::at_least(kind, "strides", strides, 1);
  check::at_least(kind, "dilation_rate", dilation_rate, 1);
  return {kernel_size, strides, padding_option(kind, padding), dilation_rate};
}

TimeContract time_of_windows(const WindowOptions& w) {
  const auto span = (w.width - 1) * w.dilation;
  TimeContract time{.stride = w.stride};
  switch (w.padding) {
    case Padding::causal:
      time.look_back = span;
      return time;
    case Padding::valid:
      time.look_ahead = span;
      return time;
    case Padding::same:
      break;
  }
  if (w.stride != 1) {
    return TimeContract::whole(
        "with .padding 'same' and strides its windows begin where the length "
        "of the sequence says",
        ".padding 'causal' · 'valid'");
  }
  time.look_back = span / 2;
  time.look_ahead = span - span / 2;
  return time;
}

void BiasAndActivation::build(std::int64_t features, Builder& builder,
                              const Initializer& initializer) {
  if (use_bias_) bias_ = builder.weight("bias", {features}, initializer);
}

Tensor BiasAndActivation::operator()(const Tensor& y) const {
  return activation_(use_bias_ ? y + bias_ : y);
}

}  // namespace maskgrad::detail
