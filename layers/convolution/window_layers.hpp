#pragma once

#include <maskgrad/autograd/ops/elementwise/activations.hpp>
#include <maskgrad/autograd/ops/sequence/windows.hpp>
#include <maskgrad/layers/layer/layer.hpp>

/// What the layers that lay windows over the steps have in common.
namespace maskgrad::detail {

/// Of one that takes the steps as they stand, and so refuses a mask over them.
constexpr MaskContract refuses_steps(std::string_view why, std::string_view ways_out,
                                     std::string_view keras) {
  return {.role = MaskRole::unsupported,
          .why = why,
          .sample_role = MaskRole::propagates,
          .full_role = MaskRole::unsupported,
          .ways_out = ways_out,
          .keras = keras};
}

/// Of one that lays its windows over each sequence's valid steps.
constexpr MaskContract takes_valid_steps(std::string_view why) {
  return {.role = MaskRole::supports,
          .why = why,
          .sample_role = MaskRole::propagates,
          .full_role = MaskRole::unsupported,
          .ways_out = mask_whole_steps,
          .keras = "has none"};
}

/// Which steps those windows read, by the options; in the table, without them.
TimeContract time_of_windows(const WindowOptions& windows);
inline constexpr TimeContract windows_time{
    .by_options =
        "causal back, valid ahead, same both ways, as far as a window reaches; a step for "
        "each stride; same with strides needs the whole sequence"};

inline constexpr std::string_view convolves_padding =
    "warns that it destroys the mask, and convolves the padding";

/// The option `padding`: valid, same, or causal where there is one. Throws OptionError, with the
/// nearest.
Padding padding_option(std::string_view kind, const std::string& padding, bool causal = true);
/// Windows from Keras's options of a convolution. Throws OptionError for one that is out of range.
WindowOptions window_options(std::string_view kind, std::int64_t kernel_size, std::int64_t strides,
                             const std::string& padding, std::int64_t dilation_rate);

/// The end of a convolution: y = activation(y + bias).
class BiasAndActivation {
 public:
  BiasAndActivation(bool use_bias, const std::string& activation)
      : use_bias_(use_bias), activation_(maskgrad::activation(activation)) {}
  void build(std::int64_t features, Builder& builder, const Initializer& initializer);
  Tensor operator()(const Tensor& y) const;

  template <class Self, class F>
  static void each_parameter(Self& self, F&& f) {
    if (self.use_bias_) f("bias", self.bias_);
  }

 private:
  bool use_bias_;
  ActivationFunction activation_;
  Parameter bias_;
};

}  // namespace maskgrad::detail
