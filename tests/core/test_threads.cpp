#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include <maskgrad/core/kernels/add_to.hpp>
#include <maskgrad/core/threads.hpp>

#include "throws.hpp"

namespace maskgrad::tests::test_threads {
namespace {

struct Threads {
  explicit Threads(int n) : before(num_threads()) { set_num_threads(n); }
  ~Threads() { set_num_threads(before); }
  int before;
};

}  // namespace

TEST_SUITE("threads") {
  TEST_CASE("every shard runs once, for any number of threads") {
    for (int threads : {1, 2, 3, 8}) {
      const Threads now(threads);
      CHECK(num_threads() == threads);
      for (std::int64_t shards : {0, 1, 2, 7, 64, 1000}) {
        std::vector<std::atomic<int>> times(static_cast<std::size_t>(shards));
        extend::parallel_for(shards, [&](std::int64_t s) { ++times[static_cast<std::size_t>(s)]; });
        for (auto& t : times) CHECK(t == 1);
      }
    }
  }

  TEST_CASE("many short jobs one after the other") {
    const Threads now(4);
    std::atomic<std::int64_t> sum = 0;
    for (int job = 0; job < 5000; ++job) extend::parallel_for(5, [&](std::int64_t s) { sum += s; });
    CHECK(sum == 5000 * 10);
  }

  TEST_CASE("inside a shard it runs in place") {
    const Threads now(3);
    std::atomic<int> count = 0;
    extend::parallel_for(6, [&](std::int64_t) {
      const auto here = std::this_thread::get_id();
      extend::parallel_for(6, [&](std::int64_t) { count += std::this_thread::get_id() == here; });
    });
    CHECK(count == 36);
  }

  TEST_CASE("an exception comes out, and the pool works on") {
    for (int threads : {1, 3}) {
      const Threads now(threads);
      auto failing = [](std::int64_t s) {
        if (s == 3) throw std::runtime_error("shard 3");
      };
      CHECK_THROWS_WITH_AS(extend::parallel_for(10, failing), "shard 3", std::runtime_error);
      std::atomic<int> count = 0;
      extend::parallel_for(10, [&](std::int64_t) { ++count; });
      CHECK(count == 10);
      // Nested work must not stay in place after an exception.
      CHECK_THROWS_AS(extend::parallel_for(4, [](std::int64_t) { throw 1; }), int);
    }
  }

  TEST_CASE("callers from several threads") {
    const Threads now(3);
    std::atomic<int> count = 0;
    std::vector<std::thread> callers;
    for (int c = 0; c < 4; ++c) {
      callers.emplace_back([&] {
        for (int i = 0; i < 300; ++i) extend::parallel_for(7, [&](std::int64_t) { ++count; });
      });
    }
    for (auto& c : callers) c.join();
    CHECK(count == 4 * 300 * 7);
  }

  TEST_CASE("numbers of threads that cannot be") {
    CHECK(throws<OptionError>([] { set_num_threads(0); }, "set_num_threads: got 0", "1 to 256"));
    CHECK(throws<OptionError>([] { set_num_threads(-3); }, "got -3"));
    CHECK(throws<OptionError>([] { set_num_threads(257); }, "got 257"));
  }

  TEST_CASE("shards cover the items in order, and depend on them alone") {
    for (std::int64_t items : {0, 1, 63, 64, 1000, 12345}) {
      for (std::int64_t least : {0, 1, 10, 100000}) {
        const auto n = extend::shard_count(items, least);
        CHECK(n >= 1);
        CHECK(n <= 64);
        CHECK(extend::shard_begin(items, n, 0) == 0);
        CHECK(extend::shard_begin(items, n, n) == items);
        for (std::int64_t s = 0; s < n; ++s) {
          CHECK(extend::shard_begin(items, n, s) <= extend::shard_begin(items, n, s + 1));
        }
      }
    }
  }

  TEST_CASE("adding is the same on any number of threads") {
    const std::vector<float> x(200000, 0.1f);
    std::vector<std::vector<float>> sums;
    for (int threads : {1, 2, 5}) {
      const Threads now(threads);
      std::vector<float> to(x.size(), 1.f);
      kernels::add_to<float>(x, to);
      sums.push_back(to);
    }
    CHECK(sums[0] == sums[1]);
    CHECK(sums[0] == sums[2]);
    CHECK(sums[0].back() == 1.1f);
    kernels::add_to<float>({}, {});
  }
}

}  // namespace maskgrad::tests::test_threads
