#include <maskgrad/optim/adam.hpp>

#include <algorithm>
#include <cmath>

#include <maskgrad/core/kernels/add_to.hpp>

namespace maskgrad {

Adam::Adam(std::vector<Parameter> parameters, AdamOptions options)
    : Optimizer("Adam", std::move(parameters), options.learning_rate),
      options_(options),
      mean_(state()),
      square_(state()),
      steps_of_(this->parameters().size()) {
  check::option("Adam", "beta_1", options.beta_1, 0, 1);
  check::option("Adam", "beta_2", options.beta_2, 0, 1);
  check::option("Adam", "epsilon", options.epsilon, 0, INFINITY);
  check::option("Adam", "weight_decay", options.weight_decay, 0, INFINITY);
  if (options.amsgrad) greatest_ = state();
}

void Adam::update(std::size_t i, const Tensor& grad, std::int64_t) {
  const Tensor parameter = parameters()[i].tensor();
  const auto step = static_cast<double>(++steps_of_[i]);
  const double correct_1 = 1 - std::pow(options_.beta_1, step);
  const double correct_2 = 1 - std::pow(options_.beta_2, step);
  dispatch_real("Adam", grad.dtype(), [&]<class T>() {
    const auto b1 = static_cast<T>(options_.beta_1), b2 = static_cast<T>(options_.beta_2);
    const auto fresh_1 = static_cast<T>(1 - options_.beta_1);
    const auto fresh_2 = static_cast<T>(1 - options_.beta_2);
    const auto rate = static_cast<T>(learning_rate() / correct_1);
    const auto root = static_cast<T>(1 / std::sqrt(correct_2));
    const auto eps = static_cast<T>(options_.epsilon),
               decay = static_cast<T>(options_.weight_decay);
    T* p = rows::of_mutable<T>(parameter).data();
    const T* g = rows::of<T>(grad).data();
    T* m = rows::of_mutable<T>(mean_[i]).data();
    T* v = rows::of_mutable<T>(square_[i]).data();
    T* top = options_.amsgrad ? rows::of_mutable<T>(greatest_[i]).data() : nullptr;
    kernels::over_parts(grad.shape().count(), [=](std::int64_t from, std::int64_t to) {
      for (auto k = from; k < to; ++k) {
        const T d = g[k] + decay * p[k];
        m[k] = b1 * m[k] + fresh_1 * d;
        v[k] = b2 * v[k] + fresh_2 * d * d;
        T second = v[k];
        if (top) second = top[k] = std::max(top[k], second);
        p[k] -= rate * m[k] / (std::sqrt(second) * root + eps);
      }
    });
  });
}

}  // namespace maskgrad
