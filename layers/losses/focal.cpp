#include <maskgrad/layers/losses/focal.hpp>

#include <maskgrad/autograd/ops/activations.hpp>
#include <maskgrad/autograd/ops/arithmetic.hpp>
#include <maskgrad/autograd/ops/reduce.hpp>
#include <maskgrad/autograd/ops/unary.hpp>
#include <maskgrad/layers/losses/entropies.hpp>
#include <maskgrad/layers/losses/pairs.hpp>

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
  const auto pair = losses::alike(name, target, prediction);
  const Tensor t = losses::smooth(name, pair.target, options.label_smoothing, 0.5);
  const Tensor& x = pair.prediction;
  const Tensor p = options.from_logits ? sigmoid(x) : x;
  const Tensor not_p = options.from_logits ? sigmoid(-x) : 1 - x;
  const Tensor wrong = t * not_p + (1 - t) * p;
  Tensor values = focus(wrong, options.gamma) * losses::binary_entropy(t, x, options.from_logits);
  if (options.apply_class_balancing) {
    values = values * (t * options.alpha + (1 - t) * (1 - options.alpha));
  }
  return losses::finish({name, target, prediction}, losses::at_positions(values), options);
}

Loss categorical_focal_crossentropy(const Tensor& target, const Tensor& prediction,
                                    const CategoricalFocalOptions& options) {
  constexpr std::string_view name = "categorical_focal_crossentropy";
  check_focus(name, options.alpha, options.gamma);
  const auto [t, x] = losses::whole_rows(name, target, prediction);
  const Tensor smoothed =
      losses::smooth(name, t, options.label_smoothing, losses::one_of_classes(x));
  const Tensor log_p = losses::log_probabilities(x, options.from_logits);
  const Tensor values = focus(-expm1(log_p), options.gamma) * smoothed * log_p;
  return losses::finish({name, target, prediction}, -options.alpha * sum(values, {-1}), options);
}

}  // namespace maskgrad
