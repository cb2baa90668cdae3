#include <maskgrad/layers/losses/probabilistic.hpp>

#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/layers/losses/weights.hpp>

namespace maskgrad {

constexpr double epsilon = 1e-7;  // Keras's

Loss kl_divergence(const Tensor& target, const Tensor& prediction, const LossOptions& options) {
  constexpr std::string_view name = "kl_divergence";
  const auto in = losses::read_rows(name, target, prediction, options);
  const Tensor t = clip(in.target, epsilon, 1);
  // A target of 0 has no part in the sum: t and p are clipped to one number there.
  const Tensor p = clip(losses::unless_0(in.target, in.prediction), epsilon, 1);
  return in.weights.loss(sum(t * (log(t) - log(p)), {-1}));
}

Loss poisson(const Tensor& target, const Tensor& prediction, const LossOptions& options) {
  constexpr std::string_view name = "poisson";
  const auto in = losses::read_values(name, target, prediction, options);
  const Tensor &t = in.target, &p = in.prediction;
  const Tensor surprise = t * log(losses::unless_0(t, p) + epsilon);
  return in.weights.loss(losses::at_positions(p - surprise));
}

}  // namespace maskgrad
