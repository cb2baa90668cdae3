#pragma once

#include <cstdint>

#include <maskgrad/optim/distributed/communicator.hpp>

namespace maskgrad {

/// In which order the gradients of a step are added.
enum class ReductionOrder {
  fixed,    ///< in one tree over fixed shards: the same bits for 1, 2, 4, ... ranks
  fastest,  ///< each rank computes its share as one part, and the transport adds as it likes
};

/// How ranks share the work of each step, or of each batch of an evaluation.
struct RankOptions {
  Communicator communicator = {};  ///< none: a training of this process alone, not in shards
  /// Shards that a step is cut into, at most: a power of two. As many ranks at most have work, and
  /// 1, 2, 4, ... of them give the same bits. More shards are smaller ones, which cost more each.
  /// 0: at most 8, each of two sequences where there are four or more.
  std::int64_t shards = 0;
  ReductionOrder reduction_order = ReductionOrder::fixed;
  /// Each rank holds the optimizer's state of some of the parameters alone, steps these, and gets
  /// the other weights from the other ranks: the same bits, less memory, half as many bytes more.
  /// Checkpoints are whole, and for any number of ranks.
  bool shard_optimizer = false;
};

}  // namespace maskgrad
