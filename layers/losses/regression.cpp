#include <maskgrad/layers/losses/regression.hpp>

#include <cmath>

#include <maskgrad/autograd/ops/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise.hpp>
#include <maskgrad/autograd/ops/normalise.hpp>
#include <maskgrad/autograd/ops/reduce.hpp>
#include <maskgrad/autograd/ops/unary.hpp>
#include <maskgrad/core/kernels/simd/arrays.hpp>
#include <maskgrad/layers/losses/pairs.hpp>

namespace maskgrad {
namespace {

constexpr double epsilon = 1e-7;  // Keras's

struct HuberOf {
  static constexpr Keeps keeps = Keeps::input;
  double delta;

  template <class T>
  T value(T e) const {
    const T d = static_cast<T>(delta), a = std::abs(e);
    return a <= d ? e * e / 2 : d * (a - d / 2);
  }
  template <class T>
  T slope(T e) const {
    const T d = static_cast<T>(delta);
    return e > d ? d : e < -d ? -d : e;
  }
};

struct LogCosh {
  static constexpr Keeps keeps = Keeps::input;

  template <class T>
  void values(const T* e, T* y, std::int64_t n) const {
    kernels::simd::log_cosh(e, y, n);
  }
  template <class T>
  void slopes(const T* e, T* s, std::int64_t n) const {
    kernels::simd::tanh(e, s, n);
  }
};

/// The mean over features of f(prediction - target).
template <class Options, class F>
Loss of_error(std::string_view name, const Tensor& target, const Tensor& prediction,
              const Options& options, F f) {
  const auto [t, p] = losses::alike(name, target, prediction);
  return losses::finish({name, target, prediction}, losses::at_positions(f(p - t)), options);
}

}  // namespace

Loss mean_squared_error(const Tensor& target, const Tensor& prediction,
                        const LossOptions& options) {
  return of_error("mean_squared_error", target, prediction, options,
                  [](const Tensor& e) { return square(e); });
}

Loss mean_absolute_error(const Tensor& target, const Tensor& prediction,
                         const LossOptions& options) {
  return of_error("mean_absolute_error", target, prediction, options,
                  [](const Tensor& e) { return abs(e); });
}

Loss mean_absolute_percentage_error(const Tensor& target, const Tensor& prediction,
                                    const LossOptions& options) {
  constexpr std::string_view name = "mean_absolute_percentage_error";
  const auto [t, p] = losses::alike(name, target, prediction);
  const Tensor share = abs(p - t) / maximum(abs(t), epsilon);
  return losses::finish({name, target, prediction}, losses::at_positions(100 * share), options);
}

Loss mean_squared_logarithmic_error(const Tensor& target, const Tensor& prediction,
                                    const LossOptions& options) {
  constexpr std::string_view name = "mean_squared_logarithmic_error";
  const auto [t, p] = losses::alike(name, target, prediction);
  const Tensor e = log1p(maximum(p, epsilon)) - log1p(maximum(t, epsilon));
  return losses::finish({name, target, prediction}, losses::at_positions(square(e)), options);
}

Loss huber(const Tensor& target, const Tensor& prediction, const HuberOptions& options) {
  if (!(options.delta > 0)) {
    fail<OptionError>("huber", "the option .delta is {}; expected a number above 0", options.delta);
  }
  return of_error("huber", target, prediction, options,
                  [&](const Tensor& e) { return unary("huber", e, HuberOf{options.delta}); });
}

Loss log_cosh(const Tensor& target, const Tensor& prediction, const LossOptions& options) {
  return of_error("log_cosh", target, prediction, options,
                  [](const Tensor& e) { return unary("log_cosh", e, LogCosh{}); });
}

Loss cosine_similarity(const Tensor& target, const Tensor& prediction, const LossOptions& options) {
  constexpr std::string_view name = "cosine_similarity";
  const auto [t, p] = losses::whole_rows(name, target, prediction);
  return losses::finish({name, target, prediction},
                        -sum(unit_normalise(t, epsilon) * unit_normalise(p, epsilon), {-1}),
                        options);
}

}  // namespace maskgrad
