#include <maskgrad/optim/adagrad.hpp>

#include <cmath>

#include <maskgrad/optim/each_value.hpp>

namespace maskgrad {

Adagrad::Adagrad(std::vector<Parameter> parameters, AdagradOptions options)
    : Optimizer("Adagrad", std::move(parameters), options.learning_rate), options_(options) {
  check::option("Adagrad", "initial_accumulator_value", options.initial_accumulator_value, 0,
                INFINITY);
  check::option("Adagrad", "epsilon", options.epsilon, 0, INFINITY);
  check::option("Adagrad", "lr_decay", options.lr_decay, 0, INFINITY);
  check::option("Adagrad", "weight_decay", options.weight_decay, 0, INFINITY);
  total_ = state(options.initial_accumulator_value);
}

void Adagrad::update(std::size_t i, const Tensor& grad, std::int64_t step) {
  const double rate = learning_rate() / (1 + static_cast<double>(step - 1) * options_.lr_decay);
  extend::dispatch_real("Adagrad", grad.dtype(), [&]<class T>() {
    const auto lr = static_cast<T>(rate), eps = static_cast<T>(options_.epsilon);
    const auto decay = static_cast<T>(decay_of(i, options_));
    each_value<T>(
        parameters()[i], grad,
        [=](T& p, T g, T& s) {
          const T d = g + decayed(decay, p);
          s += d * d;
          p -= lr * ratio(d, std::sqrt(s) + eps);
        },
        total_[i]);
  });
}

}  // namespace maskgrad
