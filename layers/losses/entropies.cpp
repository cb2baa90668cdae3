#include <maskgrad/layers/losses/entropies.hpp>

#include <cmath>

#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/loss/binary_cross_entropy.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/autograd/ops/reduce/softmax.hpp>
#include <maskgrad/layers/losses/pairs.hpp>

namespace maskgrad::losses {

Tensor log_clipped(const Tensor& p) {
  return minimum(log(clip(p, epsilon, 1)), std::log1p(-epsilon));
}

Tensor log_clipped_rest(const Tensor& p) {
  const double below_1 =
      p.dtype() == DType::f32 ? std::nextafter(1.0F, 0.0F) : std::nextafter(1.0, 0.0);
  return maximum(log1p(-clip(p, epsilon, below_1)), std::log(epsilon));
}

Tensor smooth(std::string_view name, const Tensor& target, double share, double towards) {
  check_share(name, "label_smoothing", share);
  if (share == 1) return losses::unless_0(zeros({}, target.dtype()), target) + towards;
  return share == 0 ? target : target * (1 - share) + share * towards;
}

Tensor binary_entropy(const Tensor& target, const Tensor& prediction, bool from_logits) {
  if (from_logits) return detail::binary_cross_entropy(target, prediction);
  return -(target * log_clipped(prediction) + (1 - target) * log_clipped_rest(prediction));
}

Tensor log_probabilities(const Tensor& prediction, bool from_logits) {
  if (from_logits) return log_softmax(prediction);
  return log_clipped(prediction / maximum(sum(prediction, {-1}, true), epsilon));
}

double one_of_classes(const Tensor& x) {
  const auto classes = x.shape().back();
  return classes > 0 ? 1 / static_cast<double>(classes) : 0;
}

}  // namespace maskgrad::losses
