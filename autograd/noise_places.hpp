#pragma once

#include <algorithm>
#include <array>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/noise.hpp>
#include <maskgrad/core/kernels/add_to.hpp>
#include <maskgrad/core/kernels/simd/philox.hpp>

namespace maskgrad {

/// What the noise of each stored value is drawn by. A run is the values that lie behind one step,
/// or behind one position of a mask that covers features too.
struct NoisePlaces {
  Index sample, step;         ///< of each run; the step is a rank among valid ones
  Index feature;              ///< of each run its first feature; empty: 0
  std::int64_t features = 1;  ///< values of a run
  // Where the thread stood:
  Seed key = {};
  std::int64_t first = 0;  ///< index in the step of the first sequence
  std::shared_ptr<const extend::NoiseSamples> samples = {};

  bool same_noise(std::int64_t a, std::int64_t b) const {
    return sample[a] == sample[b] && step[a] == step[b] &&
           (feature.empty() || feature[a] == feature[b]);
  }
};

/// Axis 0 of `x` counts samples, axis 1 steps, the others features; `whole_steps`: all steps of a
/// sequence get the same noise. Counts a call of the running layer.
NoisePlaces noise_places(const Tensor& x, Seed seed, bool whole_steps);

/// Random words of values that stand side by side: value k's is words[skip + k], in blocks of four.
struct NoiseWords {
  const std::uint32_t* words;
  std::int64_t skip, n;
};
/// Most values of one NoiseWords, and words that stand for them.
inline constexpr std::int64_t noise_values = 256, noise_words = noise_values + 8;

/// Calls f(place of the first, runs, NoiseWords) for all stored values, from many threads: the
/// words are those of so many runs side by side (the steps of a sequence with `whole_steps`). The
/// same at each call with the same arguments.
template <class F>
void each_noise(const NoisePlaces& p, F&& f) {
  const auto runs = p.sample.size();
  const auto shards = std::min(std::max<std::int64_t>(runs, 1),
                               shard_count(runs * p.features, kernels::elementwise_grain));
  parallel_for(shards, [&](std::int64_t shard) {
    std::uint32_t words[noise_words];
    const auto end = shard_begin(runs, shards, shard + 1);
    for (auto r = shard_begin(runs, shards, shard), next = r; r < end; r = next) {
      for (next = r + 1; next < end && p.same_noise(r, next);) ++next;
      const auto source = extend::noise_source(p.samples.get(), p.first, p.key, p.sample[r]);
      const std::array<std::uint32_t, 3> rest{static_cast<std::uint32_t>(p.step[r]),
                                              static_cast<std::uint32_t>(source.sequence),
                                              static_cast<std::uint32_t>(source.sequence >> 32)};
      const auto first = p.feature.size() > 0 ? p.feature[r] : 0;
      for (std::int64_t done = 0; done < p.features; done += noise_values) {
        const auto n = std::min(noise_values, p.features - done), at = first + done;
        const auto skip = at % 4;
        kernels::simd::philox(static_cast<std::uint32_t>(at / 4), rest, source.key,
                              (skip + n + 3) / 4, words);
        f(r * p.features + done, next - r, NoiseWords{words, skip, n});
      }
    }
  });
}

}  // namespace maskgrad
