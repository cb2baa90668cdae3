#include <maskgrad/optim/adam.hpp>

#include <cmath>

#include <maskgrad/optim/each_value.hpp>

namespace maskgrad {
namespace {

template <class Options>
void check_options(std::string_view kind, const Options& options) {
  check::option(kind, "beta_1", options.beta_1, 0, 1);
  check::option(kind, "beta_2", options.beta_2, 0, 1);
  check::option(kind, "epsilon", options.epsilon, 0, INFINITY);
  check::option(kind, "weight_decay", options.weight_decay, 0, INFINITY);
}

/// What Adam and AdamW do alike: `added` p is added to g, `taken` p is taken from p first.
struct Decay {
  double added = 0, taken = 0;
};

template <class Options>
void adam_update(const Parameter& parameter, const Tensor& grad, const Options& options,
                 double learning_rate, std::int64_t step, const Decay& decay, const Tensor& mean,
                 const Tensor& square, const Tensor& greatest) {
  const auto t = static_cast<double>(step);
  const double correct_1 = 1 - std::pow(options.beta_1, t);
  const double correct_2 = 1 - std::pow(options.beta_2, t);
  extend::dispatch_real("Adam", grad.dtype(), [&]<class T>() {
    const auto b1 = static_cast<T>(options.beta_1), b2 = static_cast<T>(options.beta_2);
    const auto fresh_1 = static_cast<T>(1 - options.beta_1);
    const auto fresh_2 = static_cast<T>(1 - options.beta_2);
    const auto rate = static_cast<T>(learning_rate / correct_1);
    const auto root = static_cast<T>(1 / std::sqrt(correct_2));
    const auto eps = static_cast<T>(options.epsilon);
    const auto added = static_cast<T>(decay.added), taken = static_cast<T>(decay.taken);
    const auto moments = [=](T& p, T g, T& m, T& v) {
      p -= decayed(taken, p);
      const T d = g + decayed(added, p);
      m = b1 * m + fresh_1 * d;
      v = b2 * v + fresh_2 * d * d;
    };
    const auto move = [=](T& p, T m, T v) { p -= rate * ratio(m, std::sqrt(v) * root + eps); };
    if (!greatest.defined()) {
      return each_value<T>(
          parameter, grad,
          [=](T& p, T g, T& m, T& v) {
            moments(p, g, m, v);
            move(p, m, v);
          },
          mean, square);
    }
    each_value<T>(
        parameter, grad,
        [=](T& p, T g, T& m, T& v, T& top) {
          moments(p, g, m, v);
          top = greater_of(top, v);
          move(p, m, top);
        },
        mean, square, greatest);
  });
}

}  // namespace

Adam::Adam(std::vector<Parameter> parameters, AdamOptions options)
    : Optimizer("Adam", std::move(parameters), options.learning_rate),
      options_(options),
      mean_(state()),
      square_(state()) {
  check_options("Adam", options);
  greatest_ = options.amsgrad ? state() : std::vector<Tensor>(mean_.size());
}

void Adam::update(std::size_t i, const Tensor& grad, std::int64_t step) {
  adam_update(parameters()[i], grad, options_, learning_rate(), step,
              {.added = decay_of(i, options_)}, mean_[i], square_[i], greatest_[i]);
}

AdamW::AdamW(std::vector<Parameter> parameters, AdamWOptions options)
    : Optimizer("AdamW", std::move(parameters), options.learning_rate),
      options_(options),
      mean_(state()),
      square_(state()) {
  check_options("AdamW", options);
  greatest_ = options.amsgrad ? state() : std::vector<Tensor>(mean_.size());
}

void AdamW::update(std::size_t i, const Tensor& grad, std::int64_t step) {
  adam_update(parameters()[i], grad, options_, learning_rate(), step,
              {.taken = learning_rate() * decay_of(i, options_)}, mean_[i], square_[i],
              greatest_[i]);
}

}  // namespace maskgrad
