#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "data/sequences.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_loader {
namespace {

std::ptrdiff_t threads() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return std::distance(begin(tasks), end(tasks));
}

/// Sequences of one step that tell which thread made them, and when.
struct Maker {
  std::mutex mutex;
  std::condition_variable changed;
  std::int64_t made = 0;
  std::int64_t bad = -1;
  std::thread::id by;

  Dataset dataset(std::int64_t count) {
    return Dataset::from_callback(
        {.lengths = Numbers(static_cast<std::size_t>(count), 1), .sample = [this](std::int64_t i) {
           std::lock_guard lock(mutex);
           if (i == bad) throw std::runtime_error("no sequence " + std::to_string(i));
           ++made;
           by = std::this_thread::get_id();
           changed.notify_all();
           return SequenceData{.inputs = {full({1}, static_cast<double>(i))}};
         }});
  }
  void wait_for(std::int64_t count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return made >= count; });
  }
};

TEST_CASE("loader: makes batches ahead on its own thread, no more than asked for") {
  Maker maker;
  const Batches batches{maker.dataset(20), {.batch_size = 1, .shuffle = false, .prefetch = 3}};
  Epoch epoch = batches.epoch(0);
  CHECK(maker.made == 0);
  auto at = epoch.begin();
  CHECK(at->samples == Numbers{0});
  maker.wait_for(4);  // the one taken and three ahead
  CHECK(maker.by != std::this_thread::get_id());
  std::this_thread::yield();
  {
    std::lock_guard lock(maker.mutex);
    CHECK(maker.made == 4);
  }
  ++at;
  CHECK(at->samples == Numbers{1});
  maker.wait_for(5);
}

TEST_CASE("loader: without prefetch there is no thread, and the batches are the same") {
  Maker maker;
  const auto before = threads();
  for (const Batch& b : Batches{maker.dataset(5), {.batch_size = 2, .prefetch = 0}}.epoch(0)) {
    CHECK(b.size() > 0);
    CHECK(maker.by == std::this_thread::get_id());
    CHECK(threads() == before);
  }
  const Dataset data = counted({4, 1, 0, 5, 2});
  for (std::int64_t ahead = 1; ahead < 5; ++ahead) {
    CHECK(samples_of(Batches{data, {.batch_size = 2, .prefetch = ahead}}) ==
          samples_of(Batches{data, {.batch_size = 2, .prefetch = 0}}));
  }
}

TEST_CASE("loader: leaving in the middle ends the thread") {
  const auto before = threads();
  const Dataset data = counted(Numbers(100, 3));
  for (int leave = 0; leave < 3; ++leave) {
    int seen = 0;
    for (const Batch& b : Batches{data, {.batch_size = 2}}.epoch(0)) {
      CHECK(b.size() == 2);
      if (++seen > leave) break;
    }
    CHECK(threads() == before);
  }
  { const Epoch never_begun = Batches{data}.epoch(0); }
  try {
    for (const Batch& b : Batches{data}.epoch(0))
      throw std::runtime_error(b.samples.empty() ? "" : "x");
  } catch (const std::runtime_error&) {
  }
  CHECK(threads() == before);
}

TEST_CASE("loader: what goes wrong comes out at its batch, and ends the epoch") {
  for (const std::int64_t prefetch : {0, 1, 4}) {
    Maker maker;
    maker.bad = 3;
    const Batches batches{maker.dataset(8),
                          {.batch_size = 1, .shuffle = false, .prefetch = prefetch}};
    Epoch epoch = batches.epoch(0);
    auto at = epoch.begin();
    for (std::int64_t i = 0; i < 2; ++i, ++at) CHECK(at->samples == Numbers{i});
    CHECK(at->samples == Numbers{2});
    CHECK_THROWS_WITH_AS(++at, "no sequence 3", std::runtime_error);
    CHECK(at == epoch.end());
    // The next epoch tries again.
    maker.bad = -1;
    CHECK(samples_of(batches, 1).size() == 8);
  }
}

TEST_CASE("loader: an epoch can move while it runs") {
  const Batches batches{counted(Numbers(10, 1)), {.batch_size = 1, .shuffle = false}};
  Epoch first = batches.epoch(0);
  CHECK(first.begin()->samples == Numbers{0});
  Epoch second = std::move(first);
  std::int64_t next = 0;
  for (const Batch& b : second) CHECK(b.samples == Numbers{next++});
  CHECK(next == 10);
}

TEST_CASE("loader: two epochs at a time over the same data") {
  const Dataset data = counted(Numbers(30, 2));
  const Batches a{data, {.batch_size = 4, .seed = 1}}, b{data, {.batch_size = 4, .seed = 2}};
  Epoch of_a = a.epoch(0), of_b = b.epoch(0);
  auto in_b = of_b.begin();
  std::int64_t seen = 0;
  for (const Batch& batch : of_a) {
    CHECK(batch.size() == in_b->size());
    ++in_b;
    ++seen;
  }
  CHECK(seen == 8);
  CHECK(in_b == of_b.end());
}

}  // namespace
}  // namespace maskgrad::tests::test_loader
