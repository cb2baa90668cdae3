#include <maskgrad/autograd/noise.hpp>

#include <utility>

#include <maskgrad/autograd/noise_places.hpp>
#include <maskgrad/core/context.hpp>

namespace maskgrad {
namespace {

thread_local NoisePosition position_now;

}  // namespace

NoisePosition noise_position() {
  return position_now;
}
void set_noise_position(NoisePosition position) {
  position_now = std::move(position);
}

NoiseScope::NoiseScope(NoisePosition position)
    : before_(std::exchange(position_now, std::move(position))) {}
NoiseScope::~NoiseScope() {
  position_now = std::move(before_);
}

NoiseOfSteps::NoiseOfSteps() : before_(position_now.calls) {}
void NoiseOfSteps::again() const {
  if (!position_now.calls.empty()) position_now.calls = before_;
}

NoiseSamplesScope::NoiseSamplesScope(std::shared_ptr<const NoiseSamples> samples)
    : before_(std::exchange(position_now.samples, std::move(samples))) {}
NoiseSamplesScope::~NoiseSamplesScope() {
  position_now.samples = std::move(before_);
}

Seed noise_key(Seed seed) {
  const Seed key = seed.of(position_now.step);
  const auto* layer = LayerScope::current();
  if (!layer) return key;
  const auto call = position_now.calls[seed.of(layer->path()).value]++;
  return call == 0 ? key : key.of("call").of(call);
}

void next_noise_part(std::int64_t sequences, NoiseCalls calls) {
  position_now.sequence += sequences;
  position_now.calls = std::move(calls);
}

NoisePlaces noise_places(const Tensor& x, Seed seed, bool whole_steps) {
  const Shape lead = x.shape().sub(0, std::min(2, x.rank()));
  const auto steps = lead.rank() == 2 ? lead[1] : 1;
  const int mask_rank = rows::mask_rank(x);
  NoisePlaces p;
  p.key = noise_key(seed);
  p.first = position_now.sequence;
  p.samples = position_now.samples;
  p.features = x.shape().count(std::max(lead.rank(), mask_rank), x.rank());
  const auto runs = p.features == 0 ? 0 : rows::total(x) / p.features;
  p.sample = Index(runs);
  p.step = Index(runs);
  if (whole_steps && mask_rank > 2) p.feature = Index(runs);
  std::int64_t last_sample = -1, rank = 0;
  for (std::int64_t r = 0; r < runs; ++r) {
    auto at = r;
    if (mask_rank > 0) {
      const auto behind = lead.count(std::min(mask_rank, lead.rank()), lead.rank());
      at = x.mask().impl().positions[r / behind] * behind + r % behind;
    }
    if (mask_rank > 2) {
      const auto values = x.mask().shape().count(2, mask_rank);
      if (whole_steps) p.feature[r] = at % values * p.features;
      at /= values;
    }
    p.sample[r] = at / steps;
    rank = p.sample[r] == last_sample ? rank + 1 : 0;
    last_sample = p.sample[r];
    p.step[r] = whole_steps ? 0 : rank;
  }
  return p;
}

}  // namespace maskgrad
