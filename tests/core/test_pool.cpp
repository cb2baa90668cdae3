#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <maskgrad/core/memory.hpp>
#include <maskgrad/core/random.hpp>

namespace maskgrad::tests::test_pool {
namespace {

/// What a training step takes from the pool: results that backward needs, and passing ones, whose
/// sizes follow the number of rows; backward ends them from the last on.
void step(std::int64_t rows, std::int64_t layers, std::int64_t width) {
  std::vector<extend::Storage> kept;
  kept.emplace_back(rows * 8);
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    const extend::Storage passing(rows * width * 12);
    kept.emplace_back(rows * width * 12 + 64 * layer);
    kept.emplace_back(rows * width * 4);
    const extend::Storage small(256 + 64 * (rows % 7));
  }
  extend::Storage gradient(rows * width * 4);
  while (!kept.empty()) {
    const extend::Storage next(rows * width * 12);
    gradient = extend::Storage(rows * width * 4);
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

/// Takes and gives blocks of sizes from 1 byte to 300 kB, and finds in each what was put there.
bool blocks_keep_what_is_theirs(std::uint64_t seed) {
  auto draw = [seed, i = std::uint64_t{0}](double below) mutable {
    return static_cast<std::int64_t>(random::unit_at(Seed{seed}, i++) * below);
  };
  std::vector<std::pair<extend::Storage, int>> held;
  const auto right = [](const auto& one) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(one.first.data());
    return std::all_of(bytes, bytes + one.first.bytes(), [&](int b) { return b == one.second; });
  };
  bool all = true;
  for (int i = 0; i < 1500; ++i) {
    if (held.size() > 40 || (!held.empty() && draw(3) == 0)) {
      const auto at = held.begin() + draw(static_cast<double>(held.size()));
      all = all && right(*at);
      held.erase(at);
    } else {
      const std::int64_t most[] = {300, 30000, 300000};
      const extend::Storage block(1 + draw(static_cast<double>(most[draw(3)])));
      std::memset(block.data(), i % 251, static_cast<std::size_t>(block.bytes()));
      held.emplace_back(block, i % 251);
    }
    if (i % 500 == 499) memory::release_unused();
  }
  return all && std::all_of(held.begin(), held.end(), right);
}

}  // namespace

TEST_SUITE("pool") {
  TEST_CASE("no two blocks share a byte, in one thread or in several") {
    CHECK(blocks_keep_what_is_theirs(1));
    std::array<bool, 4> right{};
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < right.size(); ++t) {
      threads.emplace_back([&right, t] { right[t] = blocks_keep_what_is_theirs(t + 2); });
    }
    for (auto& thread : threads) thread.join();
    CHECK(right == std::array<bool, 4>{true, true, true, true});
    memory::release_unused();
    CHECK(memory::stats().bytes_reserved == memory::stats().bytes_in_use);
  }

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

}  // namespace maskgrad::tests::test_pool
