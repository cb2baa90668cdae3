#pragma once

#include <utility>
#include <vector>

#include <maskgrad/optim/data/batch.hpp>
#include <maskgrad/optim/distributed/rank_options.hpp>

namespace maskgrad::data {

/// The part of a step's batch that a rank computes.
struct Share {
  struct Shard {
    std::vector<std::int64_t> rows;  ///< of the whole batch, ascending
    Batch batch;                     ///< these, read for themselves
  };
  std::vector<std::int64_t> lengths;  ///< of all rows of the batch
  std::int64_t shards = 0;            ///< of all ranks
  std::vector<Shard> own;
};

}  // namespace maskgrad::data

namespace maskgrad::detail {

/// How the rows of a batch stand in shards.
using ShardRows = std::vector<std::vector<std::int64_t>>;

/// OptionError for a number of shards that is no power of two from 1 to 4096.
void check_ranks(std::string_view where, const RankOptions& ranks);
/// Shards of even numbers of valid rows: the longest sequence first, each to the shard that has
/// least. It goes by the lengths alone; only ReductionOrder::fastest asks how many ranks there are.
/// `in_place`: row r of each batch is in the shard that r of the one before was in.
ShardRows shard_rows(const std::vector<std::int64_t>& lengths, const RankOptions& ranks,
                     bool in_place = false);
/// The shards [first, second) of a rank, which are a subtree where both numbers are powers of two.
std::pair<std::int64_t, std::int64_t> shards_of_rank(std::int64_t shards, int rank, int size);
/// Those of this rank, cut out of a batch that is there as a whole.
data::Share share_of(const Batch& batch, const RankOptions& ranks, bool in_place = false);
/// Valid steps of each row of a batch; 1 where the input has one value a sequence.
std::vector<std::int64_t> lengths_of(const Batch& batch);

}  // namespace maskgrad::detail
