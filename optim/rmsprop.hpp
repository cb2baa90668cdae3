#pragma once

#include <maskgrad/optim/optimizer.hpp>

namespace maskgrad {

struct RMSpropOptions {
  double learning_rate = 1e-2;
  double rho = 0.99;
  double momentum = 0;
  double epsilon = 1e-8;
  bool centered = false;
  double weight_decay = 0;
  bool decay_biases = true;  ///< false: weight_decay spares biases and norms

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("learning_rate", o.learning_rate);
    f("rho", o.rho);
    f("momentum", o.momentum);
    f("epsilon", o.epsilon);
    f("centered", o.centered);
    f("weight_decay", o.weight_decay);
    f("decay_biases", o.decay_biases);
  }
};

/// Steps divided by the root of the moving mean of g^2: v = rho v + (1 - rho) g^2,
/// d = g / (sqrt(v) + epsilon), with `momentum` d = momentum d + g / (...); p -= lr d. `centered`
/// takes the square of the moving mean of g from v. `weight_decay` p is added to g.
/// Throws:   OptionError for options out of range.
/// Source:   Tieleman and Hinton 2012; Graves 2013 (centered); PyTorch's RMSprop.
/// Example:  mg::RMSprop optimizer{model.parameters(), {.momentum = 0.9, .centered = true}};
class RMSprop final : public Optimizer {
 public:
  explicit RMSprop(std::vector<Parameter> parameters, RMSpropOptions options = {});
  void write_options(extend::OptionWriter& writer) const override { write(options_, writer); }

 protected:
  void update(std::size_t i, const Tensor& grad, std::int64_t step) override;
  std::vector<State> states() override {
    return {{"square", square_, 0}, {"mean", mean_}, {"velocity", velocity_}};
  }

 private:
  RMSpropOptions options_;
  std::vector<Tensor> square_, mean_, velocity_;  // the last two where an option asks for them
};

}  // namespace maskgrad
