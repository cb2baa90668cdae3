#include <doctest/doctest.h>

#include <algorithm>

#include "data/sequences.hpp"
#include "throws.hpp"

namespace maskgrad::tests::test_split {
namespace {

/// The targets of a data set of `counted`: the numbers of its sequences in the whole.
Numbers numbers_of(const Dataset& data) {
  Numbers all;
  for (const Batch& b : Batches{data, {.shuffle = false}}.epoch(0)) {
    const auto some = b.target.to_vector<std::int64_t>();
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

TEST_CASE("split: by fractions, each sequence in one part, the same for the same seed") {
  const Dataset data = counted(Numbers(20, 1));
  const auto parts = data.split({.fractions = {0.6, 0.3, 0.1}, .seed = 3});
  REQUIRE(parts.size() == 3);
  CHECK(parts[0].size() == 12);
  CHECK(parts[1].size() == 6);
  CHECK(parts[2].size() == 2);
  Numbers all;
  for (const auto& part : parts) {
    const auto some = numbers_of(part);
    CHECK(std::is_sorted(some.begin(), some.end()));
    all.insert(all.end(), some.begin(), some.end());
  }
  std::sort(all.begin(), all.end());
  CHECK(all == numbers_of(data));
  const auto again = data.split({.fractions = {0.6, 0.3, 0.1}, .seed = 3});
  CHECK(numbers_of(again[1]) == numbers_of(parts[1]));
  CHECK(numbers_of(data.split({.fractions = {0.6, 0.3, 0.1}, .seed = 4})[1]) !=
        numbers_of(parts[1]));
  const auto some = data.split({.fractions = {0.25}});
  CHECK(some[0].size() == 5);
  CHECK(data.split({})[1].size() == 4);
  CHECK(Dataset().split({})[0].size() == 0);
}

TEST_CASE("split: stratified, each class in the same proportions") {
  Numbers classes;
  for (std::int64_t i = 0; i < 60; ++i) classes.push_back(i % 6 == 0 ? 1 : i % 3 == 0 ? 2 : 0);
  const Dataset data = Dataset::from_memory({zeros({60, 2})}, tensor(classes, {60}));
  const auto parts = data.split({.fractions = {0.5, 0.2}, .seed = 1, .stratified = true});
  for (const auto& [part, fraction] : {std::pair(parts[0], 0.5), std::pair(parts[1], 0.2)}) {
    Numbers count(3, 0);
    for (const auto c : numbers_of(part)) ++count[static_cast<std::size_t>(c)];
    CHECK(count[0] == doctest::Approx(40 * fraction).epsilon(0.026));
    CHECK(count[1] == doctest::Approx(10 * fraction).epsilon(0.11));
    CHECK(count[2] == doctest::Approx(10 * fraction).epsilon(0.11));
  }
  CHECK(throws<OptionError>(
      [] {
        Dataset::from_memory({zeros({4, 2})}).split({.stratified = true});
      },
      "Dataset::split: the target is not there; .stratified expects a class (i64) for each "
      "sequence; leave it out"));
  CHECK(throws<OptionError>(
      [] {
        Dataset::from_memory({zeros({4, 2})}, zeros({4})).split({.stratified = true});
      },
      "Dataset::split: the target is f32[4]"));
}

TEST_CASE("split: folds hold out each sequence once") {
  const Dataset data = counted(Numbers(7, 1));
  const auto folds = data.folds(3, 5);
  REQUIRE(folds.size() == 3);
  Numbers held;
  for (const auto& fold : folds) {
    auto both = numbers_of(fold.held_out);
    held.insert(held.end(), both.begin(), both.end());
    const auto rest = numbers_of(fold.training);
    both.insert(both.end(), rest.begin(), rest.end());
    std::sort(both.begin(), both.end());
    CHECK(both == numbers_of(data));
  }
  std::sort(held.begin(), held.end());
  CHECK(held == numbers_of(data));
  CHECK(throws<OptionError>([&] { data.folds(1); },
                            "Dataset::folds: 1 folds of 7 sequences; expected 2 to one for each"));
  CHECK(throws<OptionError>([&] { data.folds(8); }, "8 folds of 7"));
}

TEST_CASE("split: what it refuses") {
  const Dataset data = counted({1, 1});
  const auto split = [&](std::vector<double> fractions) {
    data.split({.fractions = std::move(fractions)});
  };
  CHECK(throws<OptionError>(
      [&] {
        split({0.8, 0.3});
      },
      "Dataset::split: the fractions 0.8, 0.3 add up to 1.1; expected some, of "
      "1 at most"));
  CHECK(throws<OptionError>([&] { split({}); }, "add up to 0"));
  CHECK(throws<OptionError>(
      [&] {
        split({0.5, 0});
      },
      "Dataset::split: a fraction is 0; expected one above 0"));
  CHECK(throws<OptionError>([&] { split({std::numeric_limits<double>::quiet_NaN()}); },
                            "a fraction is nan"));
  CHECK(
      throws<OptionError>([&] { data.part("train"); },
                          "Dataset::part: there is no part 'train'; parts have no names here; ask "
                          "for one by number"));
  CHECK(throws<OptionError>([&] { data.part(0); },
                            "Dataset::part: there is no part 0; nothing says of which part a "
                            "sequence is; name the array in ReadOptions::split, or use split()"));
}

}  // namespace
}  // namespace maskgrad::tests::test_split
