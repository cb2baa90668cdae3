#include <doctest/doctest.h>

#include <maskgrad/maskgrad.hpp>

#include "throws.hpp"

namespace maskgrad::tests {
namespace {

TEST_CASE("batches: without shuffling, in order, the last one smaller") {
  const Dataset data = Dataset::from_memory(
      {from_sequences<float>({{1, 2, 3}, {}, {4}, {5, 6}, {7}})},
      tensor<std::int64_t>({0, 1, 2, 3, 4}, {5}));
  const Batches batches{data, {.batch_size = 2, .shuffle = false, .prefetch = 0}};
  CHECK(batches.size() == 3);
  std::vector<std::vector<std::int64_t>> samples, lengths;
  for (const Batch& b : batches.epoch(0)) {
    samples.push_back(b.samples);
    lengths.push_back(b.inputs[0].mask().lengths());
  }
  CHECK(samples == std::vector<std::vector<std::int64_t>>{{0, 1}, {2, 3}, {4}});
  CHECK(lengths == std::vector<std::vector<std::int64_t>>{{3, 0}, {1, 2}, {1}});
}

}  // namespace
}  // namespace maskgrad::tests
