#include <maskgrad/optim/rmsprop.hpp>

#include <cmath>

#include <maskgrad/optim/each_value.hpp>

namespace maskgrad {

RMSprop::RMSprop(std::vector<Parameter> parameters, RMSpropOptions options)
    : Optimizer("RMSprop", std::move(parameters), options.learning_rate),
      options_(options),
      square_(state()) {
  check::option("RMSprop", "rho", options.rho, 0, 1);
  check::option("RMSprop", "momentum", options.momentum, 0, 1);
  check::option("RMSprop", "epsilon", options.epsilon, 0, INFINITY);
  check::option("RMSprop", "weight_decay", options.weight_decay, 0, INFINITY);
  mean_ = options.centered ? state() : std::vector<Tensor>(square_.size());
  velocity_ = options.momentum > 0 ? state() : std::vector<Tensor>(square_.size());
}

void RMSprop::update(std::size_t i, const Tensor& grad, std::int64_t) {
  extend::dispatch_real("RMSprop", grad.dtype(), [&]<class T>() {
    const auto lr = static_cast<T>(learning_rate()), decay = static_cast<T>(decay_of(i, options_));
    const auto rho = static_cast<T>(options_.rho), fresh = static_cast<T>(1 - options_.rho);
    const auto momentum = static_cast<T>(options_.momentum);
    const auto eps = static_cast<T>(options_.epsilon);
    const auto& parameter = parameters()[i];
    const auto plain = [=](T p, T g, T& v) {
      const T d = g + decayed(decay, p);
      v = rho * v + fresh * d * d;
      return ratio(d, std::sqrt(v) + eps);
    };
    // v - m^2 is a variance, but rounding may leave it below 0.
    const auto centered = [=](T p, T g, T& v, T& m) {
      const T d = g + decayed(decay, p);
      v = rho * v + fresh * d * d;
      m = rho * m + fresh * d;
      return ratio(d, std::sqrt(greater_of(v - m * m, T(0))) + eps);
    };
    const auto moved = [=](T& p, T& b, T d) {
      b = momentum * b + d;
      p -= lr * b;
    };
    const Tensor &square = square_[i], &mean = mean_[i], &velocity = velocity_[i];
    if (mean.defined() && velocity.defined()) {
      each_value<T>(
          parameter, grad, [=](T& p, T g, T& v, T& m, T& b) { moved(p, b, centered(p, g, v, m)); },
          square, mean, velocity);
    } else if (mean.defined()) {
      each_value<T>(
          parameter, grad, [=](T& p, T g, T& v, T& m) { p -= lr * centered(p, g, v, m); }, square,
          mean);
    } else if (velocity.defined()) {
      each_value<T>(
          parameter, grad, [=](T& p, T g, T& v, T& b) { moved(p, b, plain(p, g, v)); }, square,
          velocity);
    } else {
      each_value<T>(
          parameter, grad, [=](T& p, T g, T& v) { p -= lr * plain(p, g, v); }, square);
    }
  });
}

}  // namespace maskgrad
