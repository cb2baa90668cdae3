#pragma once

#include <maskgrad/autograd/ops/elementwise/activations.hpp>
#include <maskgrad/layers/layer/layer.hpp>

namespace maskgrad {

struct ELUOptions {
  double alpha = 1;
  std::string name = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("alpha", o.alpha);
    f("name", o.name);
  }
};

/// x above 0, alpha (exp(x) - 1) below.
/// Shapes:   x -> the same.
/// Mask:     propagates.
/// Source:   Clevert et al. 2016, arXiv:1511.07289; Keras 3, ELU.
/// Example:  mg::ELU{{.alpha = 0.5}}(x);  // [4, 5, 3], values above -0.5
class ELU {
 public:
  using Options = ELUOptions;
  static constexpr std::string_view kind = "ELU";
  static constexpr MaskContract contract{.role = MaskRole::propagates,
                                         .why = "each value is mapped by itself"};

  explicit ELU(ELUOptions options = {}) : info(kind, options.name), options_(std::move(options)) {}
  Tensor operator()(const Tensor& x) { return call(*this, x); }
  Tensor forward(const Tensor& x) const { return elu(x, options_.alpha); }

  const Options& options() const { return options_; }
  LayerInfo info;

 private:
  ELUOptions options_;
};

}  // namespace maskgrad
