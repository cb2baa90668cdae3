#include <maskgrad/optim/sgd.hpp>

#include <cmath>

#include <maskgrad/core/kernels/add_to.hpp>

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
  velocity_.resize(this->parameters().size());
}

void SGD::update(std::size_t i, const Tensor& grad, std::int64_t) {
  const Tensor parameter = parameters()[i].tensor();
  const bool first = !velocity_[i].defined();
  if (first && options_.momentum > 0) velocity_[i] = zeros(grad.shape(), grad.dtype());
  dispatch_real("SGD", grad.dtype(), [&]<class T>() {
    const auto lr = static_cast<T>(learning_rate()), decay = static_cast<T>(options_.weight_decay);
    const auto momentum = static_cast<T>(options_.momentum);
    const auto fresh = first ? T(1) : static_cast<T>(1 - options_.dampening);
    const bool nesterov = options_.nesterov, moving = momentum > 0;
    T* p = rows::of_mutable<T>(parameter).data();
    const T* g = rows::of<T>(grad).data();
    T* v = moving ? rows::of_mutable<T>(velocity_[i]).data() : nullptr;
    kernels::over_parts(grad.shape().count(), [=](std::int64_t from, std::int64_t to) {
      for (auto k = from; k < to; ++k) {
        T d = g[k] + decay * p[k];
        if (moving) {
          v[k] = momentum * v[k] + fresh * d;
          d = nesterov ? d + momentum * v[k] : v[k];
        }
        p[k] -= lr * d;
      }
    });
  });
}

}  // namespace maskgrad
