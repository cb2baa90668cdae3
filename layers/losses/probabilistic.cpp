#include <maskgrad/layers/losses/probabilistic.hpp>

#include <maskgrad/autograd/ops/arithmetic.hpp>
#include <maskgrad/autograd/ops/reduce.hpp>
#include <maskgrad/autograd/ops/unary.hpp>
#include <maskgrad/layers/losses/pairs.hpp>

namespace maskgrad {

constexpr double epsilon = 1e-7;  // Keras's

Loss kl_divergence(const Tensor& target, const Tensor& prediction, const LossOptions& options) {
  constexpr std::string_view name = "kl_divergence";
  const auto pair = losses::whole_rows(name, target, prediction);
  const Tensor t = clip(pair.target, epsilon, 1), p = clip(pair.prediction, epsilon, 1);
  return losses::finish({name, target, prediction}, sum(t * (log(t) - log(p)), {-1}), options);
}

Loss poisson(const Tensor& target, const Tensor& prediction, const LossOptions& options) {
  constexpr std::string_view name = "poisson";
  const auto [t, p] = losses::alike(name, target, prediction);
  return losses::finish({name, target, prediction}, losses::at_positions(p - t * log(p + epsilon)),
                        options);
}

}  // namespace maskgrad
