#include <maskgrad/optim/adamax.hpp>

#include <cmath>

#include <maskgrad/optim/each_value.hpp>

namespace maskgrad {

Adamax::Adamax(std::vector<Parameter> parameters, AdamaxOptions options)
    : Optimizer("Adamax", std::move(parameters), options.learning_rate),
      options_(options),
      mean_(state()),
      greatest_(state()) {
  check::option("Adamax", "beta_1", options.beta_1, 0, 1);
  check::option("Adamax", "beta_2", options.beta_2, 0, 1);
  check::option("Adamax", "epsilon", options.epsilon, 0, INFINITY);
  check::option("Adamax", "weight_decay", options.weight_decay, 0, INFINITY);
}

void Adamax::update(std::size_t i, const Tensor& grad, std::int64_t step) {
  const double correct_1 = 1 - std::pow(options_.beta_1, static_cast<double>(step));
  extend::dispatch_real("Adamax", grad.dtype(), [&]<class T>() {
    const auto b1 = static_cast<T>(options_.beta_1), b2 = static_cast<T>(options_.beta_2);
    const auto fresh = static_cast<T>(1 - options_.beta_1);
    const auto rate = static_cast<T>(learning_rate() / correct_1);
    const auto eps = static_cast<T>(options_.epsilon);
    const auto decay = static_cast<T>(decay_of(i, options_));
    each_value<T>(
        parameters()[i], grad,
        [=](T& p, T g, T& m, T& u) {
          const T d = g + decayed(decay, p);
          m = b1 * m + fresh * d;
          u = greater_of(b2 * u, std::abs(d) + eps);
          p -= rate * ratio(m, u);
        },
        mean_[i], greatest_[i]);
  });
}

}  // namespace maskgrad
