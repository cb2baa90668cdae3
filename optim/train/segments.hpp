#pragma once

#include <maskgrad/optim/distributed/sharded_step.hpp>
#include <maskgrad/optim/train/steps.hpp>

namespace maskgrad::detail {

/// Forward and backward of a batch along time, so many valid steps of each sequence at a time: the
/// model streams, so that memory follows a segment. The segments run forward without a tape, which
/// gives the loss, its counts and the states between them; then backward, the last one first, each
/// again from its state, with what the state behind it got as gradient. So the gradient is that of
/// the whole; with `.truncate_gradients` each segment's own, in one pass.
/// Throws: OptionError for a model that does not stream, with micro-batches, for losses of whole
/// sequences; what the model and the loss throw.
Accumulate::Total gradients_in_segments(const ModelRef& model, const TrainingLoss& loss,
                                        const Batch& batch, const StepOptions& options);
/// The same for a shard of a step that is computed in shards, which is begun: what its pieces count
/// and the gradients of each term's sum go to the step. Of several terms backward runs once for
/// each, as their factors are known at the end of the step alone.
void add_segments(const ModelRef& model, const TrainingLoss& loss, const Batch& shard,
                  const StepOptions& options, ShardedStep& step);

}  // namespace maskgrad::detail
