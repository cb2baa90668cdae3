#include <doctest/doctest.h>

#include "data/sequences.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_windows {
namespace {

using Steps = std::vector<std::vector<float>>;

struct Seen {
  std::vector<Steps> steps;
  std::vector<Numbers> samples, begins;
};

Seen see(const Batches& batches) {
  Seen seen;
  for (const Batch& b : batches.epoch(0)) {
    seen.steps.push_back(steps_of(b.inputs[0]));
    seen.samples.push_back(b.samples);
    seen.begins.push_back(b.begins);
  }
  return seen;
}

TEST_CASE("windows: a row goes on where it ended, then takes the next sequence") {
  const Dataset data = counted({5, 2, 0, 3});
  const Seen seen = see(Batches{data, {.batch_size = 2, .shuffle = false, .window = 2}});
  CHECK(seen.steps ==
        std::vector<Steps>{{{0, 1}, {100, 101}}, {{2, 3}, {}}, {{4}, {300, 301}}, {{}, {302}}});
  CHECK(seen.samples == std::vector<Numbers>{{0, 1}, {0, 2}, {0, 3}, {0, 3}});
  CHECK(seen.begins == std::vector<Numbers>{{0, 1}, {1}, {1}, {}});
  const Seen full =
      see(Batches{data, {.batch_size = 2, .shuffle = false, .drop_remainder = true, .window = 2}});
  CHECK(full.steps == std::vector<Steps>(seen.steps.begin(), seen.steps.begin() + 3));
  // Fewer sequences than rows: as many rows as sequences, or nothing.
  CHECK(see(Batches{data, {.batch_size = 9, .shuffle = false, .window = 9}}).samples ==
        std::vector<Numbers>{{0, 1, 2, 3}});
  CHECK(Batches{data, {.batch_size = 9, .drop_remainder = true, .window = 9}}.size() == 0);
}

TEST_CASE("windows: every step comes once, whatever the order") {
  const Dataset data = counted({5, 2, 0, 3, 11, 1, 1, 4});
  for (const std::int64_t window : {1, 3, 50}) {
    std::vector<Steps> of(8, Steps(1));
    for (const Batch& b : Batches{data, {.batch_size = 3, .seed = 5, .window = window}}.epoch(2)) {
      CHECK(b.size() == 3);
      const auto steps = steps_of(b.inputs[0]);
      for (std::size_t r = 0; r < 3; ++r) {
        CHECK(static_cast<std::int64_t>(steps[r].size()) <= window);
        auto& all = of[static_cast<std::size_t>(b.samples[r])][0];
        all.insert(all.end(), steps[r].begin(), steps[r].end());
      }
    }
    for (std::int64_t s = 0; s < 8; ++s) {
      CHECK(of[static_cast<std::size_t>(s)] == steps_of(data.batch({s}).inputs[0]));
    }
  }
}

TEST_CASE("windows: a stateful layer gives what it gives for whole sequences") {
  const Dataset data = counted({5, 2, 0, 3, 7}).map([](Batch b) {
    b.inputs[0] = b.inputs[0] * scalar(1e-2);
    return b;
  });
  Sequential model{GRU{{.units = 3, .return_sequences = true, .stateful = true}}};
  model.build(Spec::f32({any, any, 1}).masked(2), Seed{3});
  std::vector<std::vector<float>> whole(5), carried(5);
  for (std::int64_t s = 0; s < 5; ++s) {
    reset_states(model);
    whole[static_cast<std::size_t>(s)] = steps_of(model.predict(data.batch({s}).inputs[0]))[0];
  }
  reset_states(model);
  for (const Batch& b : Batches{data, {.batch_size = 2, .window = 2}}.epoch(0)) {
    reset_states(model, b.begins);
    const auto steps = steps_of(model.predict(b.inputs[0]));
    for (std::size_t r = 0; r < steps.size(); ++r) {
      auto& all = carried[static_cast<std::size_t>(b.samples[r])];
      all.insert(all.end(), steps[r].begin(), steps[r].end());
    }
  }
  for (std::size_t s = 0; s < 5; ++s) {
    REQUIRE(whole[s].size() == carried[s].size());
    for (std::size_t i = 0; i < whole[s].size(); ++i) {
      CHECK(carried[s][i] == doctest::Approx(whole[s][i]).epsilon(1e-5));
    }
  }
}

}  // namespace
}  // namespace maskgrad::tests::test_windows
