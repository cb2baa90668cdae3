#pragma once

#include <vector>

#include <maskgrad/optim/train/steps.hpp>

namespace maskgrad::detail {

struct ShardGradients {
  Accumulate::Total total;
  bool asked_to_end = false;  ///< by any rank
};
/// Forward and backward of the shards of this rank, and the reduction over all; the gradients of
/// `parameters` stand as after one backward of the whole batch.
ShardGradients gradients_in_shards(const ModelRef& model, std::vector<Parameter> parameters,
                                   const TrainingLoss& loss, const Batch& batch,
                                   const StepOptions& options);

/// The parts that a shard is computed in: at most one a sequence.
std::int64_t parts_of_shard(std::int64_t rows, std::int64_t shards, const StepOptions& options);

}  // namespace maskgrad::detail
