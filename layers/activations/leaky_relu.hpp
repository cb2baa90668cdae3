#pragma once

#include <maskgrad/autograd/ops/elementwise/activations.hpp>
#include <maskgrad/layers/layer/layer.hpp>

namespace maskgrad {

struct LeakyReLUOptions {
  double negative_slope = 0.3;
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("negative_slope", o.negative_slope);
    f("name", o.name);
  }
};

/// x above 0, negative_slope x below.
/// Shapes:   x -> the same.
/// Mask:     propagates.
/// Source:   Keras 3, LeakyReLU.
/// Example:  mg::LeakyReLU{{.negative_slope = 0.01}}(x);  // [4, 5, 3]
class LeakyReLU {
 public:
  using Options = LeakyReLUOptions;
  static constexpr std::string_view kind = "LeakyReLU";
  static constexpr MaskContract contract{.role = MaskRole::propagates,
                                         .why = "each value is mapped by itself"};

  explicit LeakyReLU(LeakyReLUOptions options = {})
      : info(kind, options.name), options_(std::move(options)) {}
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  Tensor forward(const Tensor& x) const { return leaky_relu(x, options_.negative_slope); }

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  LeakyReLUOptions options_;
};

}  // namespace maskgrad
