#include <maskgrad/optim/lion.hpp>

#include <cmath>

#include <maskgrad/optim/each_value.hpp>

namespace maskgrad {

Lion::Lion(std::vector<Parameter> parameters, LionOptions options)
    : Optimizer("Lion", std::move(parameters), options.learning_rate),
      options_(options),
      mean_(state()) {
  check::option("Lion", "beta_1", options.beta_1, 0, 1);
  check::option("Lion", "beta_2", options.beta_2, 0, 1);
  check::option("Lion", "weight_decay", options.weight_decay, 0, INFINITY);
}

void Lion::update(std::size_t i, const Tensor& grad, std::int64_t) {
  extend::dispatch_real("Lion", grad.dtype(), [&]<class T>() {
    const auto b1 = static_cast<T>(options_.beta_1), b2 = static_cast<T>(options_.beta_2);
    const auto fresh_1 = static_cast<T>(1 - options_.beta_1);
    const auto fresh_2 = static_cast<T>(1 - options_.beta_2);
    const auto lr = static_cast<T>(learning_rate()), decay = static_cast<T>(decay_of(i, options_));
    each_value<T>(
        parameters()[i], grad,
        [=](T& p, T g, T& m) {
          const T d = b1 * m + fresh_1 * g;
          const T up = d > 0 ? T(1) : T(0), down = d < 0 ? T(1) : T(0);
          p -= lr * (up - down + decayed(decay, p));
          m = b2 * m + fresh_2 * g;
        },
        mean_[i]);
  });
}

}  // namespace maskgrad
