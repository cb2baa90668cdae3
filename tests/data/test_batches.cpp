#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "data/sequences.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_batches {
namespace {

using Plan = std::vector<Numbers>;

Numbers flat(const Plan& plan) {
  Numbers all;
  for (const auto& batch : plan) all.insert(all.end(), batch.begin(), batch.end());
  return all;
}

Numbers sorted(Numbers numbers) {
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

Numbers up_to(std::int64_t count) {
  Numbers numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

TEST_CASE("batches: by count, in order, the last one smaller or left out") {
  const Dataset data = counted({3, 0, 1, 2, 1});
  const Batches all{data, {.batch_size = 2, .shuffle = false}};
  CHECK(all.size() == 3);
  CHECK(samples_of(all) == Plan{{0, 1}, {2, 3}, {4}});
  const Batches full{data, {.batch_size = 2, .shuffle = false, .drop_remainder = true}};
  CHECK(full.size() == 2);
  CHECK(samples_of(full) == Plan{{0, 1}, {2, 3}});
  CHECK(Batches{data}.options().batch_size == 32);
  CHECK(samples_of(Batches{data, {.shuffle = false}}) == Plan{{0, 1, 2, 3, 4}});
}

TEST_CASE("batches: by valid rows, a longer sequence alone") {
  const Dataset data = counted({3, 0, 1, 9, 2, 2, 0, 1});
  const Batches batches{data, {.max_rows = 4, .shuffle = false}};
  CHECK(samples_of(batches) == Plan{{0, 1, 2}, {3}, {4, 5, 6}, {7}});
  CHECK(samples_of(Batches{data, {.max_rows = 4, .shuffle = false, .drop_remainder = true}}) ==
        Plan{{0, 1, 2}, {3}, {4, 5, 6}});
  const Dataset even = counted({3, 1, 2, 2});
  CHECK(samples_of(Batches{even, {.max_rows = 4, .shuffle = false, .drop_remainder = true}}) ==
        Plan{{0, 1}, {2, 3}});
  const Batches both{data, {.batch_size = 2, .max_rows = 4, .shuffle = false}};
  CHECK(samples_of(both) == Plan{{0, 1}, {2}, {3}, {4, 5}, {6, 7}});
}

TEST_CASE("batches: the seed and the epoch decide the order, the same everywhere") {
  const Dataset data = counted({1, 1, 1, 1, 1, 1, 1, 1});
  const Batches batches{data, {.batch_size = 3, .seed = 7}};
  const auto first = samples_of(batches), second = samples_of(batches, 1);
  CHECK(first == samples_of(Batches{data, {.batch_size = 3, .seed = 7}}));
  CHECK(first != second);
  CHECK(first != samples_of(Batches{data, {.batch_size = 3, .seed = 8}}));
  CHECK(sorted(flat(first)) == up_to(8));
  CHECK(sorted(flat(second)) == up_to(8));
  // Noted from the first run: another machine, compiler or version must give the same.
  CHECK(first == Plan{{5, 6, 1}, {0, 2, 4}, {3, 7}});
}

TEST_CASE("batches: an epoch goes on from any batch") {
  for (const BatchesOptions& o :
       {BatchesOptions{.batch_size = 3, .seed = 2}, BatchesOptions{.max_rows = 7, .bucket = true},
        BatchesOptions{.batch_size = 3, .window = 2}}) {
    const Batches batches{counted({4, 1, 0, 5, 2, 2, 7, 1, 3, 6}), o};
    const auto whole = samples_of(batches, 3);
    for (std::int64_t k = 0; k <= batches.size(3); ++k) {
      const Plan rest(whole.begin() + k, whole.end());
      CHECK(batches.epoch(3, k).size() == static_cast<std::int64_t>(rest.size()));
      CHECK(samples_of(batches, 3, k) == rest);
    }
  }
}

TEST_CASE("batches: buckets put similar lengths together, and mix batches") {
  Numbers lengths;
  for (std::int64_t i = 0; i < 64; ++i) lengths.push_back(i * 37 % 64);
  const Dataset data = counted(lengths);
  const Batches batches{data, {.batch_size = 4, .bucket = true}};
  const auto plan = samples_of(batches);
  CHECK(sorted(flat(plan)) == up_to(64));
  Numbers shortest;
  for (const auto& batch : plan) {
    Numbers of;
    for (const auto s : batch) of.push_back(data.length(s));
    CHECK(*std::max_element(of.begin(), of.end()) - *std::min_element(of.begin(), of.end()) == 3);
    shortest.push_back(of[0]);
  }
  CHECK_FALSE(std::is_sorted(shortest.begin(), shortest.end()));
  CHECK(plan != samples_of(batches, 1));
  // Smaller buckets sort less.
  const Batches small{data, {.batch_size = 4, .bucket = true, .bucket_size = 8}};
  CHECK(small.describe().padding() > batches.describe().padding());
  CHECK(small.describe().padding() < Batches{data, {.batch_size = 4}}.describe().padding());
  // Without shuffling the whole set is sorted; equal lengths keep their order.
  const Batches in_order{counted({2, 1, 2, 0, 1}),
                         {.batch_size = 2, .shuffle = false, .bucket = true}};
  CHECK(samples_of(in_order) == Plan{{3, 1}, {4, 0}, {2}});
}

TEST_CASE("batches: of nothing there are none") {
  for (const BatchesOptions& o : {BatchesOptions{}, BatchesOptions{.bucket = true},
                                  BatchesOptions{.max_rows = 3}, BatchesOptions{.window = 3}}) {
    CHECK(Batches{Dataset(), o}.size() == 0);
    CHECK(samples_of(Batches{counted({}), o}).empty());
    CHECK(samples_of(Batches{counted({0}), o}) == Plan{{0}});
  }
}

TEST_CASE("batches: the largest options are as good as no limit") {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  for (const auto& options :
       {BatchesOptions{.batch_size = most, .bucket = true}, BatchesOptions{.max_rows = most},
        BatchesOptions{.max_rows = most, .bucket = true},
        BatchesOptions{.batch_size = most, .bucket = true, .bucket_size = most},
        BatchesOptions{.batch_size = most, .window = most, .prefetch = most}}) {
    CHECK(samples_of(Batches{counted({3, 1, 2}), options}).size() == 1);
  }
}

TEST_CASE("batches: options that make no sense") {
  const Dataset data = counted({1, 2});
  const auto check = [&](BatchesOptions o, const std::string& text) {
    CHECK(throws<OptionError>([&] { Batches(data, o); }, "Batches: " + text));
  };
  check({.batch_size = -1}, ".batch_size is -1; expected 0 or more");
  check({.max_rows = -2}, ".max_rows is -2");
  check({.bucket_size = -1}, ".bucket_size is -1");
  check({.window = -1}, ".window is -1");
  check({.prefetch = -1}, ".prefetch is -1");
  check({.bucket_size = 5}, ".bucket_size is 5, but .bucket is not set; set it, or leave both");
  check({.max_rows = 5, .window = 3},
        ".window excludes .max_rows: carried state needs the same rows in every batch; say "
        ".batch_size, or cut sequences by Dataset::pieces()");
  check({.bucket = true, .window = 3}, ".window excludes .bucket");
  const Batches batches{data};
  CHECK(throws<IndexError>([&] { batches.size(-1); }, "Batches: epoch -1; expected 0 or more"));
  CHECK(throws<IndexError>([&] { batches.epoch(0, 2); },
                           "Batches::epoch: batch 2 of epoch 0, which has 1; expected 0 to 1"));
  CHECK(throws<ShapeError>(
      [] {
        Batches(Dataset::from_memory({zeros({2, 3})}), {.window = 2});
      },
      "Batches: no input has steps, so sequences cannot be cut"));
}

}  // namespace
}  // namespace maskgrad::tests::test_batches
