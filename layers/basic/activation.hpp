#pragma once

#include <functional>
#include <optional>

#include <maskgrad/autograd/ops/elementwise/activations.hpp>
#include <maskgrad/layers/layer/layer.hpp>

namespace maskgrad {

struct ActivationOptions {
  std::string activation;
  std::optional<double> negative_slope = {};  ///< of relu (0) and leaky_relu (0.2)
  std::optional<double> max_value = {};       ///< of relu (none)
  std::optional<double> threshold = {};       ///< of relu (0), hard_shrink and soft_shrink (0.5)
  std::optional<double> alpha = {};           ///< of elu and celu (1)
  std::optional<bool> approximate = {};       ///< of gelu (false); true: its form with tanh
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f(extend::required("activation"), o.activation);
    f("negative_slope", o.negative_slope);
    f("max_value", o.max_value);
    f("threshold", o.threshold);
    f("alpha", o.alpha);
    f("approximate", o.approximate);
    f("name", o.name);
  }
};

/// A function of each value, or of each row's last axis (softmax, log_softmax), by name.
/// Shapes:   x -> the same.
/// Mask:     propagates; softmax and log_softmax support one over all values.
/// Throws:   OptionError, naming all, for an unknown name; for an option of another function.
/// Source:   Keras 3, Activation.
/// Example:  mg::Activation{{.activation = "relu", .max_value = 6}}(x);  // [4, 5, 3]
class Activation {
 public:
  using Options = ActivationOptions;
  static constexpr std::string_view kind = "Activation";
  static constexpr MaskContract contract{.role = MaskRole::propagates,
                                         .why = "each value, or each row, is mapped by itself"};

  /// The softmax of a row reads a mask over all its values.
  MaskContract contract_now() const;

  explicit Activation(ActivationOptions options);
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  Tensor forward(const Tensor& x) const { return function_(x); }

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  ActivationOptions options_;
  std::function<Tensor(const Tensor&)> function_;
};

}  // namespace maskgrad
