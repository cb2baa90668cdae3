#pragma once

#include <maskgrad/optim/optimizer.hpp>

namespace maskgrad {

struct AdagradOptions {
  double learning_rate = 1e-2;
  double initial_accumulator_value = 0;
  double epsilon = 1e-10;
  double lr_decay = 0;
  double weight_decay = 0;
  bool decay_biases = true;  ///< false: weight_decay spares biases and norms

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("learning_rate", o.learning_rate);
    f("initial_accumulator_value", o.initial_accumulator_value);
    f("epsilon", o.epsilon);
    f("lr_decay", o.lr_decay);
    f("weight_decay", o.weight_decay);
    f("decay_biases", o.decay_biases);
  }
};

/// Steps divided by the root of the sum of all g^2: s += g^2, p -= lr(t) g / (sqrt(s) + epsilon)
/// with lr(t) = lr / (1 + (t - 1) lr_decay). `weight_decay` p is added to g.
/// Throws:   OptionError for options out of range.
/// Source:   Duchi et al. 2011; PyTorch's Adagrad.
/// Example:  mg::Adagrad optimizer{model.parameters(), {.lr_decay = 1e-3}};
class Adagrad final : public Optimizer {
 public:
  explicit Adagrad(std::vector<Parameter> parameters, AdagradOptions options = {});
  void write_options(extend::OptionWriter& writer) const override { write(options_, writer); }

 protected:
  void update(std::size_t i, const Tensor& grad, std::int64_t step) override;
  std::vector<State> states() override { return {{"total", total_, 0}}; }

 private:
  AdagradOptions options_;
  std::vector<Tensor> total_;
};

}  // namespace maskgrad
