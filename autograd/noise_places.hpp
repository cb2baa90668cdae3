#pragma once

#include <algorithm>
#include <array>

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/noise.hpp>
#include <maskgrad/core/kernels/add_to.hpp>

namespace maskgrad {

/// What the noise of each stored value is drawn by. A run is the values that lie behind one step,
/// or behind one position of a mask that covers features too.
struct NoisePlaces {
  Index sample, step;           ///< of each run; the step is a rank among valid ones
  Index feature;                ///< of each run its first feature; empty: 0
  std::int64_t features = 1;    ///< values of a run
  NoisePosition position = {};  ///< where the thread stood
};

/// Axis 0 of `x` counts samples, axis 1 steps, the others features; `whole_steps`: all steps of a
/// sequence get the same noise.
NoisePlaces noise_places(const Tensor& x, bool whole_steps);

/// Calls f(place, words, i) for each stored value, from many threads: word i of four random ones is
/// the value's. The same at each call with the same arguments.
template <class F>
void each_noise(const NoisePlaces& p, Seed seed, F&& f) {
  const Seed key = seed.of(p.position.step);
  kernels::over_parts(p.sample.size(), [&](std::int64_t from, std::int64_t to) {
    for (std::int64_t r = from; r < to; ++r) {
      const auto source =
          noise_source(p.position.samples.get(), p.position.sequence, key, p.sample[r]);
      const auto first = p.feature.size() > 0 ? p.feature[r] : 0;
      for (auto at = first; at < first + p.features;) {
        const auto words = random::philox(
            {static_cast<std::uint32_t>(at / 4), static_cast<std::uint32_t>(p.step[r]),
             static_cast<std::uint32_t>(source.sequence),
             static_cast<std::uint32_t>(source.sequence >> 32)},
            source.key);
        const auto end = std::min((at / 4 + 1) * 4, first + p.features);
        for (; at < end; ++at) {
          f(r * p.features + at - first, words, static_cast<std::size_t>(at % 4));
        }
      }
    }
  });
}

}  // namespace maskgrad
