#include <maskgrad/optim/weight_noise.hpp>

#include <cmath>

#include <maskgrad/autograd/distinct.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/optim/optimizer.hpp>

namespace maskgrad {

WeightNoise::WeightNoise(const std::vector<Parameter>& parameters, double stddev, Seed seed,
                         std::uint64_t step) {
  check::option("WeightNoise", "weight_noise", stddev, 0, INFINITY);
  if (stddev == 0) return;
  const NoGrad no_grad;
  detail::FirstTime first;
  for (const auto& p : parameters) {
    if (!p.trainable() || !first(p)) continue;
    before_.emplace_back(p, p.value());
    const Tensor noise = random_normal(p.shape(), seed.of(step).of(p.name()), p.dtype());
    p.set(before_.back().second + noise * stddev);
  }
}

WeightNoise::~WeightNoise() {
  for (const auto& [p, value] : before_) p.set(value);
}

}  // namespace maskgrad
