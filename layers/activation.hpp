#pragma once

#include <maskgrad/autograd/ops/activations.hpp>
#include <maskgrad/layers/layer.hpp>

namespace maskgrad {

struct ActivationOptions {
  std::string activation;
  std::string name = {};
};

/// A function of each value, or of each row's last axis (softmax, log_softmax), by name.
/// Shapes:   x -> the same.
/// Mask:     propagates.
/// Throws:   OptionError, naming all, for an unknown name.
/// Source:   Keras 3, Activation.
class Activation {
 public:
  static constexpr std::string_view kind = "Activation";
  static constexpr MaskContract contract{.role = MaskRole::propagates,
                                         .why = "each value, or each row, is mapped by itself"};

  explicit Activation(ActivationOptions options)
      : info(kind, options.name), function_(maskgrad::activation(options.activation)) {}
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  Tensor forward(const Tensor& x) const { return function_(x); }

  LayerInfo info;

 private:
  ActivationFunction function_;
};

}  // namespace maskgrad
