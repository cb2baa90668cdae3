#pragma once

#include <array>

#include <maskgrad/optim/train/steps.hpp>

namespace maskgrad::detail {

/// What a step takes here: a shard as a sum of what is so much a shard, a row and a step of its
/// longest sequence.
struct MeasuredStep {
  std::array<double, 3> seconds{};  ///< of a shard, a row, a step of the longest
  double update = 0;                ///< setting gradients and the optimizer, once a step
  double add = 0;                   ///< adding a gradient to another
  double gradient_bytes = 0;
  double kept_bytes = 0;  ///< of weights, gradients and the optimizer
  double row_bytes = 0;   ///< of a step, for each row of the shard that is computed

  double shard(std::int64_t rows, std::int64_t longest) const {
    if (rows == 0) return 0;
    return seconds[0] + seconds[1] * static_cast<double>(rows) +
           seconds[2] * static_cast<double>(longest);
  }
};

/// Measures some batches, cut into few and many shards. All is as it was before.
MeasuredStep measure_step(const ModelRef& model, Optimizer& optimizer, const Batches& batches,
                          const TrainingLoss& loss);

}  // namespace maskgrad::detail
