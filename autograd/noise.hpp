#pragma once

#include <cstdint>
#include <memory>

#include <maskgrad/autograd/noise_samples.hpp>

namespace maskgrad {

/// Where this thread stands in training, as far as noise knows: dropout draws depend on the seed,
/// the layer's path, the step, the sequence's index in the step, the rank among its valid steps and
/// the feature, and on nothing else. So neither padding nor a split into parts changes them.
struct NoisePosition {
  std::uint64_t step = 0;
  std::int64_t sequence = 0;  ///< index in the step of the next batch's first sequence
  std::shared_ptr<const NoiseSamples> samples = {};  ///< none: a sample is a sequence
};

/// An optimizer's step moves to the next step; each backward of a loss moves `sequence` by the
/// batch it saw. A loop without either calls set_noise_position by hand.
NoisePosition noise_position();
void set_noise_position(NoisePosition position);

/// While one lives, the samples of this thread's batches are steps of sequences.
class NoiseSamplesScope {
 public:
  explicit NoiseSamplesScope(std::shared_ptr<const NoiseSamples> samples);
  ~NoiseSamplesScope();
  NoiseSamplesScope(const NoiseSamplesScope&) = delete;
  NoiseSamplesScope& operator=(const NoiseSamplesScope&) = delete;

 private:
  std::shared_ptr<const NoiseSamples> before_;
};

}  // namespace maskgrad
