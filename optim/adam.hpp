#pragma once

#include <maskgrad/optim/optimizer.hpp>

namespace maskgrad {

struct AdamOptions {
  double learning_rate = 1e-3;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-8;
  bool amsgrad = false;
  double weight_decay = 0;
  bool decay_biases = true;  ///< false: weight_decay spares biases and norms

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("learning_rate", o.learning_rate);
    f("beta_1", o.beta_1);
    f("beta_2", o.beta_2);
    f("epsilon", o.epsilon);
    f("amsgrad", o.amsgrad);
    f("weight_decay", o.weight_decay);
    f("decay_biases", o.decay_biases);
  }
};

/// Adam: m, v the moving means of g and g^2, bias-corrected; p -= lr m / (sqrt(v) + epsilon).
/// `weight_decay` p is added to g; `amsgrad` divides by the greatest v so far.
/// Throws:   OptionError for options out of range.
/// Source:   Kingma and Ba 2015; Reddi et al. 2018 (amsgrad); PyTorch's Adam.
/// Example:  mg::Adam adam{model.parameters(), {.learning_rate = 1e-2, .amsgrad = true}};
///           mg::mean_squared_error(y, model(x)).backward();
///           adam.step();
class Adam final : public Optimizer {
 public:
  explicit Adam(std::vector<Parameter> parameters, AdamOptions options = {});
  void write_options(extend::OptionWriter& writer) const override { write(options_, writer); }

 protected:
  void update(std::size_t i, const Tensor& grad, std::int64_t step) override;
  std::vector<State> states() override {
    return {{"mean", mean_}, {"square", square_, 0}, {"greatest", greatest_, 0}};
  }

 private:
  AdamOptions options_;
  std::vector<Tensor> mean_, square_, greatest_;
};

struct AdamWOptions {
  double learning_rate = 1e-3;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-8;
  bool amsgrad = false;
  double weight_decay = 1e-2;
  bool decay_biases = true;  ///< false: weight_decay spares biases and norms

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("learning_rate", o.learning_rate);
    f("beta_1", o.beta_1);
    f("beta_2", o.beta_2);
    f("epsilon", o.epsilon);
    f("amsgrad", o.amsgrad);
    f("weight_decay", o.weight_decay);
    f("decay_biases", o.decay_biases);
  }
};

/// Adam with the decay of weights apart from the gradient: p *= 1 - lr weight_decay comes first.
/// Throws:   OptionError for options out of range.
/// Source:   Loshchilov and Hutter 2019, arXiv:1711.05101; PyTorch's AdamW.
/// Example:  mg::AdamW adam{model.parameters(), {.weight_decay = 0.1, .decay_biases = false}};
class AdamW final : public Optimizer {
 public:
  explicit AdamW(std::vector<Parameter> parameters, AdamWOptions options = {});
  void write_options(extend::OptionWriter& writer) const override { write(options_, writer); }

 protected:
  void update(std::size_t i, const Tensor& grad, std::int64_t step) override;
  std::vector<State> states() override {
    return {{"mean", mean_}, {"square", square_, 0}, {"greatest", greatest_, 0}};
  }

 private:
  AdamWOptions options_;
  std::vector<Tensor> mean_, square_, greatest_;
};

}  // namespace maskgrad
