#include <maskgrad/optim/nadam.hpp>

#include <cmath>

#include <maskgrad/optim/each_value.hpp>

namespace maskgrad {

Nadam::Nadam(std::vector<Parameter> parameters, NadamOptions options)
    : Optimizer("Nadam", std::move(parameters), options.learning_rate),
      options_(options),
      mean_(state()),
      square_(state()) {
  check::option("Nadam", "beta_1", options.beta_1, 0, 1);
  check::option("Nadam", "beta_2", options.beta_2, 0, 1);
  check::option("Nadam", "epsilon", options.epsilon, 0, INFINITY);
  check::option("Nadam", "momentum_decay", options.momentum_decay, 0, INFINITY);
  check::option("Nadam", "weight_decay", options.weight_decay, 0, INFINITY);
  for (std::size_t i = 0; i < mean_.size(); ++i) product_.push_back(scalar(1, DType::f64));
}

void Nadam::update(std::size_t i, const Tensor& grad, std::int64_t step) {
  const auto momentum = [&](std::int64_t t) {
    const double power = static_cast<double>(t) * options_.momentum_decay;
    return options_.beta_1 * (1 - 0.5 * std::pow(0.96, power));
  };
  const double now = momentum(step), next = momentum(step + 1);
  double& product = rows::of_mutable<double>(product_[i])[0];
  product *= now;
  const double correct_2 = 1 - std::pow(options_.beta_2, static_cast<double>(step));
  extend::dispatch_real("Nadam", grad.dtype(), [&]<class T>() {
    const auto b1 = static_cast<T>(options_.beta_1), b2 = static_cast<T>(options_.beta_2);
    const auto fresh_1 = static_cast<T>(1 - options_.beta_1);
    const auto fresh_2 = static_cast<T>(1 - options_.beta_2);
    const auto of_g = static_cast<T>(learning_rate() * (1 - now) / (1 - product));
    const auto of_m = static_cast<T>(learning_rate() * next / (1 - product * next));
    const auto root = static_cast<T>(1 / std::sqrt(correct_2));
    const auto eps = static_cast<T>(options_.epsilon);
    const auto decay = static_cast<T>(decay_of(i, options_));
    each_value<T>(
        parameters()[i], grad,
        [=](T& p, T g, T& m, T& v) {
          const T d = g + decayed(decay, p);
          m = b1 * m + fresh_1 * d;
          v = b2 * v + fresh_2 * d * d;
          p -= ratio(of_g * d + of_m * m, std::sqrt(v) * root + eps);
        },
        mean_[i], square_[i]);
  });
}

}  // namespace maskgrad
