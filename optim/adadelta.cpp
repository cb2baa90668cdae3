#include <maskgrad/optim/adadelta.hpp>

#include <cmath>

#include <maskgrad/optim/each_value.hpp>

namespace maskgrad {

Adadelta::Adadelta(std::vector<Parameter> parameters, AdadeltaOptions options)
    : Optimizer("Adadelta", std::move(parameters), options.learning_rate),
      options_(options),
      square_(state()),
      moved_(state()) {
  check::option("Adadelta", "rho", options.rho, 0, 1);
  check::option("Adadelta", "epsilon", options.epsilon, 0, INFINITY);
  check::option("Adadelta", "weight_decay", options.weight_decay, 0, INFINITY);
}

void Adadelta::update(std::size_t i, const Tensor& grad, std::int64_t) {
  extend::dispatch_real("Adadelta", grad.dtype(), [&]<class T>() {
    const auto lr = static_cast<T>(learning_rate()), eps = static_cast<T>(options_.epsilon);
    const auto rho = static_cast<T>(options_.rho), fresh = static_cast<T>(1 - options_.rho);
    const auto decay = static_cast<T>(decay_of(i, options_));
    each_value<T>(
        parameters()[i], grad,
        [=](T& p, T g, T& v, T& u) {
          const T d = g + decayed(decay, p);
          v = rho * v + fresh * d * d;
          const T move = ratio(std::sqrt(u + eps), std::sqrt(v + eps)) * d;
          u = rho * u + fresh * move * move;
          p -= lr * move;
        },
        square_[i], moved_[i]);
  });
}

}  // namespace maskgrad
