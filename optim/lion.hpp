#pragma once

#include <maskgrad/optim/optimizer.hpp>

namespace maskgrad {

struct LionOptions {
  double learning_rate = 1e-4;
  double beta_1 = 0.9;
  double beta_2 = 0.99;
  double weight_decay = 0;
  bool decay_biases = true;  ///< false: weight_decay spares biases and norms

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("learning_rate", o.learning_rate);
    f("beta_1", o.beta_1);
    f("beta_2", o.beta_2);
    f("weight_decay", o.weight_decay);
    f("decay_biases", o.decay_biases);
  }
};

/// Steps of one size: p -= lr (sign(beta_1 m + (1 - beta_1) g) + weight_decay p), then
/// m = beta_2 m + (1 - beta_2) g. The sign of 0 is 0.
/// Throws:   OptionError for options out of range.
/// Source:   Chen et al. 2023, arXiv:2302.06675.
/// Example:  mg::Lion optimizer{model.parameters(), {.learning_rate = 3e-5, .weight_decay = 0.1}};
class Lion final : public Optimizer {
 public:
  explicit Lion(std::vector<Parameter> parameters, LionOptions options = {});
  void write_options(extend::OptionWriter& writer) const override { write(options_, writer); }

 protected:
  void update(std::size_t i, const Tensor& grad, std::int64_t step) override;
  std::vector<State> states() override { return {{"mean", mean_}}; }

 private:
  LionOptions options_;
  std::vector<Tensor> mean_;
};

}  // namespace maskgrad
