#pragma once

#include <maskgrad/optim/optimizer.hpp>

namespace maskgrad {

struct AdamaxOptions {
  double learning_rate = 2e-3;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
  bool decay_biases = true;  ///< false: weight_decay spares biases and norms

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("learning_rate", o.learning_rate);
    f("beta_1", o.beta_1);
    f("beta_2", o.beta_2);
    f("epsilon", o.epsilon);
    f("weight_decay", o.weight_decay);
    f("decay_biases", o.decay_biases);
  }
};

/// Adam with the greatest |g|, fading, in place of the root: u = max(beta_2 u, |g| + epsilon),
/// p -= lr m / u with m bias-corrected. `weight_decay` p is added to g.
/// Throws:   OptionError for options out of range.
/// Source:   Kingma and Ba 2015; PyTorch's Adamax.
/// Example:  mg::Adamax optimizer{model.parameters(), {.beta_2 = 0.99}};
class Adamax final : public Optimizer {
 public:
  explicit Adamax(std::vector<Parameter> parameters, AdamaxOptions options = {});
  void write_options(extend::OptionWriter& writer) const override { write(options_, writer); }

 protected:
  void update(std::size_t i, const Tensor& grad, std::int64_t step) override;
  std::vector<State> states() override { return {{"mean", mean_}, {"greatest", greatest_, 0}}; }

 private:
  AdamaxOptions options_;
  std::vector<Tensor> mean_, greatest_;
};

}  // namespace maskgrad
