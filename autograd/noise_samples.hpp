#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <maskgrad/core/mask_rows.hpp>
#include <maskgrad/core/random.hpp>

namespace maskgrad::extend {

/// The samples of a batch where they are steps of sequences (TimeDistributed): noise knows them by
/// their sequence and their rank in it, never by their index, which padding and splits change. Or
/// sequences in another order, of which the first ones may be a batch of their own.
struct NoiseSamples {
  std::int64_t time = 1;                  ///< sample n is step n % time of sequence n / time
  Mask steps = {};                        ///< [batch, time]; none: all are valid
  std::vector<std::int64_t> before = {};  ///< steps of each sequence that came before; empty: none
  std::shared_ptr<const NoiseSamples> outer = {};  ///< of the sequences, where they are steps too
  Index order = {};  ///< not empty: sample n is sequence order[n], and nothing else counts
};

/// Of sample `n`; `first` is the index in the step of the batch's first sequence. Without
/// `samples` a sample is a sequence.
inline NoiseSource noise_source(const NoiseSamples* samples, std::int64_t first, Seed key,
                                std::int64_t n) {
  if (!samples) return {static_cast<std::uint64_t>(first + n), key};
  if (!samples->order.empty()) {
    return noise_source(samples->outer.get(), first, key, samples->order[n]);
  }
  const auto sequence = n / samples->time;
  NoiseSource source = noise_source(samples->outer.get(), first, key, sequence);
  const auto rank = samples->steps
                        ? samples->steps.impl().row_of()[n] - samples->steps.impl().first[sequence]
                        : n % samples->time;
  const auto before =
      samples->before.empty() ? 0 : samples->before[static_cast<std::size_t>(sequence)];
  source.key = source.key.of(static_cast<std::uint64_t>(before + rank));
  return source;
}

}  // namespace maskgrad::extend
