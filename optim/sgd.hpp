#pragma once

#include <maskgrad/optim/optimizer.hpp>

namespace maskgrad {

struct SGDOptions {
  double learning_rate = 1e-3;
  double momentum = 0;
  double dampening = 0;
  bool nesterov = false;
  double weight_decay = 0;
  bool decay_biases = true;  ///< false: weight_decay spares biases and norms

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("learning_rate", o.learning_rate);
    f("momentum", o.momentum);
    f("dampening", o.dampening);
    f("nesterov", o.nesterov);
    f("weight_decay", o.weight_decay);
    f("decay_biases", o.decay_biases);
  }
};

/// Stochastic gradient descent: v = momentum v + (1 - dampening) g,  p -= lr v; with `nesterov`
/// p -= lr (g + momentum v). `weight_decay` p is added to g. The first v is g.
/// Throws:   OptionError for options out of range, nesterov without momentum or with dampening.
/// Source:   Sutskever et al. 2013; PyTorch's SGD.
/// Example:  mg::SGD sgd{model.parameters(), {.momentum = 0.9, .nesterov = true}};
///           mg::mean_squared_error(y, model(x)).backward();
///           sgd.step();
class SGD final : public Optimizer {
 public:
  explicit SGD(std::vector<Parameter> parameters, SGDOptions options = {});
  void write_options(extend::OptionWriter& writer) const override { write(options_, writer); }

 protected:
  void update(std::size_t i, const Tensor& grad, std::int64_t step) override;
  std::vector<State> states() override { return {{"velocity", velocity_}}; }

 private:
  SGDOptions options_;
  std::vector<Tensor> velocity_;  // none where there is no momentum
};

}  // namespace maskgrad
