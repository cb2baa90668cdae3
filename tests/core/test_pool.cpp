#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <maskgrad/core/memory.hpp>
#include <maskgrad/core/random.hpp>

namespace maskgrad::tests {
namespace {

/// What a training step takes from the pool: results that backward needs, and passing ones, whose
/// sizes follow the number of rows; backward ends them from the last on.
void step(std::int64_t rows, std::int64_t layers, std::int64_t width) {
  std::vector<Storage> kept;
  kept.emplace_back(rows * 8);
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    const Storage passing(rows * width * 12);
    kept.emplace_back(rows * width * 12 + 64 * layer);
    kept.emplace_back(rows * width * 4);
    const Storage small(256 + 64 * (rows % 7));
  }
  Storage gradient(rows * width * 4);
  while (!kept.empty()) {
    const Storage next(rows * width * 12);
    gradient = Storage(rows * width * 4);
    kept.pop_back();
  }
}

struct Schedule {
  std::string name;
  std::function<std::int64_t(std::int64_t)> length;  ///< of step i of 300
};

std::int64_t drawn(std::int64_t i) {
  return 10 +
         static_cast<std::int64_t>(random::unit_at(Seed{5}, static_cast<std::uint64_t>(i)) * 591);
}

const std::vector<Schedule>& schedules() {
  static const std::vector<Schedule> all{
      {"random", drawn},
      {"growing", [](std::int64_t i) { return 10 + 2 * i; }},
      {"shrinking", [](std::int64_t i) { return 610 - 2 * i; }},
      {"growing slowly", [](std::int64_t i) { return 400 + i / 3; }},
      {"shrinking slowly", [](std::int64_t i) { return 600 - i / 3; }},
      {"alternating", [](std::int64_t i) { return i % 2 ? 600 : 37; }},
      {"up and down", [](std::int64_t i) { return 10 + std::abs(i % 100 - 50) * 11; }},
      {"one long one among short ones",
       [](std::int64_t i) { return i == 150 ? 600 : drawn(i) / 8 + 1; }},
      {"the same", [](std::int64_t) { return 333; }},
  };
  return all;
}

}  // namespace

TEST_SUITE("pool") {
  TEST_CASE("steps of changing lengths hold at most 1.5 times what the largest needs") {
    struct Size {
      std::int64_t batch, layers, width;
    };
    for (const auto& size : {Size{4, 3, 8}, Size{8, 2, 32}, Size{16, 6, 64}, Size{32, 1, 256}}) {
      for (const auto& schedule : schedules()) {
        memory::release_unused();
        memory::reset_high_water();
        const auto before = memory::stats().bytes_in_use;
        std::int64_t held = 0;
        for (std::int64_t i = 0; i < 300; ++i) {
          step(size.batch * schedule.length(i), size.layers, size.width);
          held = std::max(held, memory::stats().bytes_reserved - before);
        }
        const auto most = memory::stats().high_water - before;
        CAPTURE(schedule.name);
        CAPTURE(size.width);
        CAPTURE(held);
        CAPTURE(most);
        CHECK(held * 2 <= most * 3);
      }
    }
  }

  TEST_CASE("steps that come again take nothing from the system, whatever came between") {
    for (const auto& schedule : schedules()) {
      CAPTURE(schedule.name);
      for (int i = 0; i < 50; ++i) step(16 * schedule.length(i * 6), 3, 32);
      for (int i = 0; i < 3; ++i) step(16 * 200, 3, 32);
      const auto before = memory::stats().heap_allocations;
      for (int i = 0; i < 5; ++i) step(16 * 200, 3, 32);
      CHECK(memory::stats().heap_allocations == before);
    }
  }

  TEST_CASE("two lengths in turn share their memory and take nothing from the system") {
    for (int i = 0; i < 6; ++i) step(16 * (i % 2 ? 200 : 120), 3, 32);
    const auto before = memory::stats().heap_allocations;
    for (int i = 0; i < 20; ++i) step(16 * (i % 2 ? 200 : 120), 3, 32);
    CHECK(memory::stats().heap_allocations == before);
  }
}

}  // namespace maskgrad::tests
