#pragma once

#include <functional>
#include <vector>

#include <maskgrad/optim/distributed/shards.hpp>
#include <maskgrad/optim/train/model_ref.hpp>
#include <maskgrad/optim/train/objective.hpp>

namespace maskgrad::detail {

/// What an evaluation works with.
struct Evaluation {
  const ModelRef& model;
  const TrainingLoss& loss;
  std::vector<TrainingMetric>& metrics;
  const PredictOptions& options;
  const std::function<void(const Loss&)>& seen;
  const Communicator& communicator;
};

/// Counts the shards of this rank, and adds what all ranks have counted, shard by shard. Whether
/// any rank wants to end: this one does where `stop` is true.
bool evaluate_shards(const Evaluation& evaluation, const Batch& batch, bool stop, LossTotal& total);

}  // namespace maskgrad::detail
