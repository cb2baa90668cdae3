#include <maskgrad/layers/losses/probabilistic.hpp>

#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/reduce/reduce.hpp>
#include <maskgrad/core/kernels/simd/arrays.hpp>
#include <maskgrad/layers/losses/entropies.hpp>
#include <maskgrad/layers/losses/weights.hpp>

namespace maskgrad {

using losses::epsilon;

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
  // log(p + epsilon), where t is not 0.
  const auto logs = [](const auto* t, const auto* p, auto* y, std::int64_t n) {
    using T = std::remove_reference_t<decltype(*y)>;
    for (std::int64_t i = 0; i < n; ++i) y[i] = (t[i] == 0 ? T(0) : p[i]) + T(epsilon);
    kernels::simd::log(y, y, n);
  };
  const row_loss::Mean kernel{
      [logs](const auto* t, const auto* p, auto* y, std::int64_t n) {
        logs(t, p, y, n);
        for (std::int64_t i = 0; i < n; ++i) y[i] = p[i] - t[i] * y[i];
      },
      [logs](auto d, const auto* t, const auto* p, auto* to, std::int64_t n) {
        logs(t, p, to, n);
        for (std::int64_t i = 0; i < n; ++i) to[i] *= -d;
      },
      []<class T>(T d, const T* t, const T* p, T* to, std::int64_t n) {
        for (std::int64_t i = 0; i < n; ++i) {
          const T surprise = d * t[i] / (p[i] + T(epsilon));
          to[i] = t[i] == 0 ? d : d - surprise;
        }
      }};
  return losses::mean_over_features(name, in, kernel, [](const Tensor& t, const Tensor& p) {
    return p - t * log(losses::unless_0(t, p) + epsilon);
  });
}

}  // namespace maskgrad
