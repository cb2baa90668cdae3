#pragma once

#include <maskgrad/optim/optimizer.hpp>

namespace maskgrad {

struct AdadeltaOptions {
  double learning_rate = 1;
  double rho = 0.9;
  double epsilon = 1e-6;
  double weight_decay = 0;
  bool decay_biases = true;  ///< false: weight_decay spares biases and norms

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("learning_rate", o.learning_rate);
    f("rho", o.rho);
    f("epsilon", o.epsilon);
    f("weight_decay", o.weight_decay);
    f("decay_biases", o.decay_biases);
  }
};

/// Steps in the units of the parameter: v = rho v + (1 - rho) g^2,
/// d = g sqrt(u + epsilon) / sqrt(v + epsilon), u = rho u + (1 - rho) d^2, p -= lr d.
/// `weight_decay` p is added to g.
/// Throws:   OptionError for options out of range.
/// Source:   Zeiler 2012, arXiv:1212.5701; PyTorch's Adadelta.
/// Example:  mg::Adadelta optimizer{model.parameters(), {.rho = 0.95}};
class Adadelta final : public Optimizer {
 public:
  explicit Adadelta(std::vector<Parameter> parameters, AdadeltaOptions options = {});
  void write_options(extend::OptionWriter& writer) const override { write(options_, writer); }

 protected:
  void update(std::size_t i, const Tensor& grad, std::int64_t step) override;
  std::vector<State> states() override { return {{"square", square_, 0}, {"moved", moved_, 0}}; }

 private:
  AdadeltaOptions options_;
  std::vector<Tensor> square_, moved_;
};

}  // namespace maskgrad
