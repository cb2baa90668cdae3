#include <maskgrad/layers/losses/focal.hpp>

#include <maskgrad/autograd/ops/elementwise/activations.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/layers/losses/entropies.hpp>
#include <maskgrad/layers/losses/weights.hpp>

namespace maskgrad {
namespace {

void check_focus(std::string_view name, double alpha, double gamma) {
  losses::check_share(name, "alpha", alpha);
  if (gamma >= 0) return;
  fail<OptionError>(name, "the option .gamma is {}; expected 0 or more", gamma);
}

/// wrong^gamma. At 0 the slope of a power below 1 is infinite; what is cut off there weighs
/// nothing.
Tensor focus(const Tensor& wrong, double gamma) {
  return power(maximum(wrong, 1e-30), gamma);
}

}  // namespace

Loss binary_focal_crossentropy(const Tensor& target, const Tensor& prediction,
                               const BinaryFocalOptions& options) {
  constexpr std::string_view name = "binary_focal_crossentropy";
  check_focus(name, options.alpha, options.gamma);
  const auto in = losses::read_values(name, target, prediction, options);
  const Tensor t = losses::smooth(name, in.target, options.label_smoothing, 0.5);
  Tensor x = in.prediction, balance;
  if (options.apply_class_balancing) {
    balance = t * options.alpha + (1 - t) * (1 - options.alpha);
    x = losses::unless_0(balance, x);  // an alpha of 0 or 1 leaves a class out
  }
  const Tensor p = options.from_logits ? sigmoid(x) : x;
  const Tensor not_p = options.from_logits ? sigmoid(-x) : 1 - x;
  const Tensor wrong = t * not_p + (1 - t) * p;
  Tensor values = focus(wrong, options.gamma) * losses::binary_entropy(t, x, options.from_logits);
  if (balance.defined()) values = values * balance;
  return in.weights.loss(losses::at_positions(values));
}

Loss categorical_focal_crossentropy(const Tensor& target, const Tensor& prediction,
                                    const CategoricalFocalOptions& options) {
  constexpr std::string_view name = "categorical_focal_crossentropy";
  check_focus(name, options.alpha, options.gamma);
  const auto in = losses::read_rows(name, target, prediction, options);
  const Tensor& x = in.prediction;
  const Tensor t =
      losses::smooth(name, in.target, options.label_smoothing, losses::one_of_classes(x));
  const Tensor log_p = losses::unless_0(t, losses::log_probabilities(x, options.from_logits));
  const Tensor values = focus(-expm1(log_p), options.gamma) * t * log_p;
  return in.weights.loss(-options.alpha * sum(values, {-1}));
}

}  // namespace maskgrad
