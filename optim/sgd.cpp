#include <maskgrad/optim/sgd.hpp>

#include <cmath>

#include <maskgrad/optim/each_value.hpp>

namespace maskgrad {

SGD::SGD(std::vector<Parameter> parameters, SGDOptions options)
    : Optimizer("SGD", std::move(parameters), options.learning_rate), options_(options) {
  check::option("SGD", "momentum", options.momentum, 0, 1);
  check::option("SGD", "dampening", options.dampening, 0, 1);
  check::option("SGD", "weight_decay", options.weight_decay, 0, INFINITY);
  if (options.nesterov && (options.momentum == 0 || options.dampening != 0)) {
    fail<OptionError>("SGD",
                      "nesterov with momentum {} and dampening {}; expected a momentum above "
                      "0 and no dampening",
                      options.momentum, options.dampening);
  }
  if (options.momentum > 0) velocity_ = state();
}

void SGD::update(std::size_t i, const Tensor& grad, std::int64_t step) {
  extend::dispatch_real("SGD", grad.dtype(), [&]<class T>() {
    const auto lr = static_cast<T>(learning_rate()), decay = static_cast<T>(decay_of(i, options_));
    if (options_.momentum == 0) {
      return each_value<T>(parameters()[i], grad,
                           [=](T& p, T g) { p -= lr * (g + decayed(decay, p)); });
    }
    const auto momentum = static_cast<T>(options_.momentum);
    const auto fresh = step == 1 ? T(1) : static_cast<T>(1 - options_.dampening);
    const bool nesterov = options_.nesterov;
    each_value<T>(
        parameters()[i], grad,
        [=](T& p, T g, T& v) {
          const T d = g + decayed(decay, p);
          v = momentum * v + fresh * d;
          p -= lr * (nesterov ? d + momentum * v : v);
        },
        velocity_[i]);
  });
}

}  // namespace maskgrad
