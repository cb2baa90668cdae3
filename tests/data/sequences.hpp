#pragma once

#include <vector>

#include <maskgrad/maskgrad.hpp>

namespace maskgrad::tests {

using Numbers = std::vector<std::int64_t>;

/// Sequences of one feature: step t of sequence s is 100 s + t, the target is s.
inline Dataset counted(const Numbers& lengths) {
  std::vector<std::vector<float>> steps;
  Numbers targets;
  for (const auto n : lengths) {
    steps.emplace_back();
    for (std::int64_t t = 0; t < n; ++t) {
      steps.back().push_back(
          static_cast<float>(100 * static_cast<std::int64_t>(targets.size()) + t));
    }
    targets.push_back(static_cast<std::int64_t>(targets.size()));
  }
  const auto count = static_cast<std::int64_t>(targets.size());
  return Dataset::from_memory({from_sequences(steps, {1})}, tensor(targets, {count}));
}

/// The valid steps of each row of a batch.
inline std::vector<std::vector<float>> steps_of(const Tensor& x) {
  std::vector<std::vector<float>> steps;
  const auto values = rows::of<float>(x);
  auto at = values.begin();
  for (const auto n : x.mask().lengths()) {
    const auto end = at + n * rows::inner(x);
    steps.emplace_back(at, end);
    at = end;
  }
  return steps;
}

/// The numbers of the sequences of each batch of an epoch.
inline std::vector<Numbers> samples_of(const Batches& batches, std::int64_t epoch = 0,
                                       std::int64_t first = 0) {
  std::vector<Numbers> all;
  for (const Batch& b : batches.epoch(epoch, first)) all.push_back(b.samples);
  return all;
}

}  // namespace maskgrad::tests
