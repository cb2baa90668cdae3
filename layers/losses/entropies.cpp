#include <maskgrad/layers/losses/entropies.hpp>

#include <maskgrad/autograd/ops/arithmetic.hpp>
#include <maskgrad/autograd/ops/binary_cross_entropy.hpp>
#include <maskgrad/autograd/ops/reduce.hpp>
#include <maskgrad/autograd/ops/softmax.hpp>
#include <maskgrad/autograd/ops/unary.hpp>
#include <maskgrad/layers/losses/pairs.hpp>

namespace maskgrad::losses {

Tensor clipped(const Tensor& p) {
  return clip(p, epsilon, 1 - epsilon);
}

Tensor smooth(std::string_view name, const Tensor& target, double share, double towards) {
  check_share(name, "label_smoothing", share);
  return share == 0 ? target : target * (1 - share) + share * towards;
}

Tensor binary_entropy(const Tensor& target, const Tensor& prediction, bool from_logits) {
  if (from_logits) return binary_cross_entropy(target, prediction);
  const Tensor p = clipped(prediction);
  return -(target * log(p) + (1 - target) * log(1 - p));
}

Tensor log_probabilities(const Tensor& prediction, bool from_logits) {
  if (from_logits) return log_softmax(prediction);
  return log(clipped(prediction / maximum(sum(prediction, {-1}, true), epsilon)));
}

double one_of_classes(const Tensor& x) {
  const auto classes = x.shape().back();
  return classes > 0 ? 1 / static_cast<double>(classes) : 0;
}

}  // namespace maskgrad::losses
