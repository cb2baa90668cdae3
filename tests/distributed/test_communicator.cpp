#include <doctest/doctest.h>

#include <chrono>
#include <thread>

#include "distributed/runs.hpp"
#include "throws.hpp"

#include <maskgrad/optim/distributed/shards.hpp>

namespace maskgrad::tests::test_communicator {
namespace {

/// The sum over ranks 0 ... size - 1 as the tree takes it.
double tree(int from, int size, int all, const std::function<double(int)>& value) {
  if (size == 1) return from < all ? value(from) : 0.0;
  return tree(from, size / 2, all, value) + tree(from + size / 2, size / 2, all, value);
}

}  // namespace

TEST_CASE("sums run in one tree over the ranks, and cost two times the values at most") {
  for (const int size : {1, 2, 3, 4, 5, 6, 7, 8}) {
    CAPTURE(size);
    const std::size_t n = 10007;
    const auto value = [](int rank, std::size_t i) {
      return 1.0 / (1.0 + static_cast<double>(rank * 7919) + static_cast<double>(i));
    };
    run_ranks(size, [&](const Communicator& ranks) {
      std::vector<double> values(n);
      for (std::size_t i = 0; i < n; ++i) values[i] = value(ranks.rank(), i);
      const double before = ranks.traffic().bytes;
      ranks.sum(values);
      const double sent = ranks.traffic().bytes - before;
      bool same = true;
      for (std::size_t i = 0; i < n; ++i) {
        same = same && values[i] == tree(0, 8, size, [&](int r) { return value(r, i); });
      }
      CHECK(same);
      CHECK(sent <= 2.0 * static_cast<double>(n * sizeof(double)));
    });
  }
}

TEST_CASE("max, broadcast, gather and barrier") {
  for (const int size : {1, 2, 3, 5, 8}) {
    CAPTURE(size);
    run_ranks(size, [&](const Communicator& ranks) {
      double greatest[] = {static_cast<double>(ranks.rank()), -1.0 * ranks.rank()};
      ranks.max(greatest);
      CHECK(greatest[0] == size - 1);
      CHECK(greatest[1] == 0);
      std::string text = ranks.rank() == size - 1 ? "of the last" : "";
      ranks.broadcast(text, size - 1);
      CHECK(text == "of the last");
      const auto all = ranks.gather(std::string(static_cast<std::size_t>(ranks.rank()), 'x'));
      REQUIRE(all.size() == static_cast<std::size_t>(size));
      for (std::size_t r = 0; r < all.size(); ++r) CHECK(all[r] == std::string(r, 'x'));
      ranks.barrier();
    });
  }
}

TEST_CASE("where a rank throws, ends, stops or does something else, all are told") {
  const auto others = [](int size, const std::function<void(const Communicator&)>& f,
                         double deadline = 60) {
    std::vector<std::string> texts(static_cast<std::size_t>(size));
    try {
      run_ranks(size,
                [&](const Communicator& ranks) {
                  try {
                    f(ranks);
                  } catch (const RankError& error) {
                    texts[static_cast<std::size_t>(ranks.rank())] = error.what();
                    throw;
                  }
                },
                {.deadline = deadline});
    } catch (const std::exception&) {
    }
    return texts;
  };
  const auto thrown = others(4, [](const Communicator& ranks) {
    if (ranks.rank() == 2) throw std::runtime_error("no luck");
    ranks.barrier();
    ranks.barrier();
  });
  for (const std::size_t r : {0, 1, 3}) {
    CHECK(thrown[r].find("rank 2 of 4 failed: no luck") != std::string::npos);
  }
  const auto ended = others(3, [](const Communicator& ranks) {
    if (ranks.rank() != 1) ranks.barrier();
  });
  CHECK(ended[0].find("rank 1 of 3 ended, while rank") != std::string::npos);
  const auto stopped = others(
      2,
      [](const Communicator& ranks) {
        if (ranks.rank() == 1) std::this_thread::sleep_for(std::chrono::milliseconds(600));
        ranks.barrier();
      },
      0.2);
  CHECK(stopped[0].find("rank 1 of 2 does not answer: rank 0 waited 0.2 s") != std::string::npos);
  const auto other = others(2, [](const Communicator& ranks) {
    std::vector<double> values(ranks.rank() == 0 ? 2 : 5);
    ranks.sum(values);
  });
  CHECK((other[0] + other[1]).find("bytes where rank") != std::string::npos);
  CHECK(throws<GradError>(
      [] {
        run_ranks(2, [](const Communicator& ranks) {
          if (ranks.rank() == 1) fail<GradError>("test", "it turned NaN");
          ranks.barrier();
        });
      },
      "rank 1 of 2: test: it turned NaN"));
}

TEST_CASE("shards go by the lengths alone, and their rows are balanced") {
  const std::vector<std::int64_t> lengths{200, 0, 3, 90, 55, 120, 60, 7, 10, 0, 33, 41};
  const RankOptions ranks{.shards = 4};
  const auto shards = detail::shard_rows(lengths, ranks);
  REQUIRE(shards.size() == 4);
  std::vector<std::int64_t> all;
  for (const auto& shard : shards) {
    std::int64_t rows = 0;
    for (const auto row : shard) rows += lengths[static_cast<std::size_t>(row)];
    CHECK(rows <= 200);
    CHECK(std::is_sorted(shard.begin(), shard.end()));
    all.insert(all.end(), shard.begin(), shard.end());
  }
  std::sort(all.begin(), all.end());
  for (std::int64_t i = 0; i < std::ssize(lengths); ++i) {
    CHECK(all[static_cast<std::size_t>(i)] == i);
  }
  CHECK(detail::shard_rows({5, 5, 5}, ranks).size() == 2);
  CHECK(detail::shard_rows({}, ranks).size() == 1);
  for (const int size : {1, 2, 3, 4, 5, 6, 7, 8, 16}) {
    std::int64_t next = 0;
    for (int r = 0; r < size; ++r) {
      const auto [from, to] = detail::shards_of_rank(8, r, size);
      CHECK(from == next);
      next = to;
    }
    CHECK(next == 8);
  }
  CHECK(throws<OptionError>([] { detail::check_ranks("fit", {.shards = 6}); },
                            ".ranks.shards is 6; expected 1, 2, 4"));
  const auto count = [](std::size_t rows) {
    return detail::shard_rows(std::vector<std::int64_t>(rows, 5), {}).size();
  };
  for (const std::size_t rows : {0, 1}) CHECK(count(rows) == 1);
  for (const std::size_t rows : {2, 3, 4, 7}) CHECK(count(rows) == 2);
  for (const std::size_t rows : {8, 15}) CHECK(count(rows) == 4);
  for (const std::size_t rows : {16, 500}) CHECK(count(rows) == 8);
}

}  // namespace maskgrad::tests::test_communicator
