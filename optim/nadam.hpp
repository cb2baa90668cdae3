#pragma once

#include <maskgrad/optim/optimizer.hpp>

namespace maskgrad {

struct NadamOptions {
  double learning_rate = 2e-3;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-8;
  double momentum_decay = 4e-3;
  double weight_decay = 0;
  bool decay_biases = true;  ///< false: weight_decay spares biases and norms

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("learning_rate", o.learning_rate);
    f("beta_1", o.beta_1);
    f("beta_2", o.beta_2);
    f("epsilon", o.epsilon);
    f("momentum_decay", o.momentum_decay);
    f("weight_decay", o.weight_decay);
    f("decay_biases", o.decay_biases);
  }
};

/// Adam with the momentum of Nesterov, which grows with the steps t:
///   u(t) = beta_1 (1 - 0.96^(t momentum_decay) / 2),  U(t) = u(1) ... u(t)
///   p -= lr (g (1 - u(t)) / (1 - U(t)) + m u(t + 1) / (1 - U(t + 1))) / (sqrt(v) + epsilon)
/// with v bias-corrected. `weight_decay` p is added to g.
/// Throws:   OptionError for options out of range.
/// Source:   Dozat 2016; PyTorch's NAdam.
/// Example:  mg::Nadam optimizer{model.parameters(), {.momentum_decay = 1e-3}};
class Nadam final : public Optimizer {
 public:
  explicit Nadam(std::vector<Parameter> parameters, NadamOptions options = {});
  void write_options(extend::OptionWriter& writer) const override { write(options_, writer); }

 protected:
  void update(std::size_t i, const Tensor& grad, std::int64_t step) override;
  std::vector<State> states() override {
    return {{"mean", mean_}, {"square", square_, 0}, {"product", product_, 0}};
  }

 private:
  NadamOptions options_;
  std::vector<Tensor> mean_, square_;
  std::vector<Tensor> product_;  // U of each parameter, f64
};

}  // namespace maskgrad
