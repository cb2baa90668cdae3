#pragma once

#include <optional>

#include <maskgrad/autograd/ops/elementwise/activations.hpp>
#include <maskgrad/layers/layer/layer.hpp>

namespace maskgrad {

struct ReLUOptions {
  std::optional<double> max_value = {};  ///< none: no limit
  double negative_slope = 0;
  double threshold = 0;
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("max_value", o.max_value);
    f("negative_slope", o.negative_slope);
    f("threshold", o.threshold);
    f("name", o.name);
  }
};

/// max_value from there on, x between, negative_slope (x - threshold) below threshold.
/// Shapes:   x -> the same.
/// Mask:     propagates.
/// Throws:   OptionError for an option below 0, and for max_value below threshold.
/// Source:   Keras 3, ReLU.
/// Example:  mg::ReLU{{.max_value = 6}}(x);  // [4, 5, 3], values from 0 to 6
class ReLU {
 public:
  using Options = ReLUOptions;
  static constexpr std::string_view kind = "ReLU";
  static constexpr MaskContract contract{.role = MaskRole::propagates,
                                         .why = "each value is mapped by itself"};

  explicit ReLU(ReLUOptions options = {});
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  Tensor forward(const Tensor& x) const { return relu(x, function_); }

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  ReLUOptions options_;
  ReluShape function_;
};

}  // namespace maskgrad
