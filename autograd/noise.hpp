#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>

#include <maskgrad/autograd/noise_samples.hpp>

namespace maskgrad {

/// How often layers have drawn noise in the step so far, by seed and path.
using NoiseCalls = std::unordered_map<std::uint64_t, std::uint64_t>;

/// Where this thread stands in training, as far as noise knows: what a layer draws depends on the
/// seed, the layer's path, the step, the number of its call in the step, the sequence's index in
/// the step, the rank among its valid steps and the feature, and on nothing else. So two forward
/// passes draw two noises, and neither padding nor a split into parts changes them. An operation
/// called outside of any layer does not count its calls: its seed is the caller's.
struct NoisePosition {
  std::uint64_t step = 0;
  std::int64_t sequence = 0;  ///< index in the step of the next batch's first sequence
  std::shared_ptr<const NoiseSamples> samples = {};  ///< none: a sample is a sequence
  NoiseCalls calls = {};
};

/// Building a model and making an optimizer begin anew, at {}. An optimizer's step moves to the
/// next step; each backward of a loss moves `sequence` by the batch it saw, and counts calls anew.
/// A loop without these calls set_noise_position by hand.
NoisePosition noise_position();
void set_noise_position(NoisePosition position);

/// While one lives, noise is drawn from `position` on; then it goes on where it stood. For passes
/// that are to draw what others draw, or that must not move a training's noise.
class NoiseScope {
 public:
  explicit NoiseScope(NoisePosition position = noise_position());
  ~NoiseScope();
  NoiseScope(const NoiseScope&) = delete;
  NoiseScope& operator=(const NoiseScope&) = delete;

 private:
  NoisePosition before_;
};

/// For a loop over the steps of sequences: `again()` before each lets layers that are called once a
/// step draw the same noise at all of them, whatever the padding. Behind the loop they count as
/// called once.
class NoiseOfSteps {
 public:
  NoiseOfSteps();
  void again() const;

 private:
  NoiseCalls before_;
};

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

/// The key of the noise that an operation with this seed draws now: of the seed, the step, and the
/// number of the running layer's call. Counts a call, so a backward keeps what its forward got.
Seed noise_key(Seed seed);
/// The next part of a step's batch comes: its first sequence stands `sequences` further, and calls
/// are counted from `calls` on.
void next_noise_part(std::int64_t sequences, NoiseCalls calls = {});

}  // namespace maskgrad
