#pragma once

#include <vector>

#include <maskgrad/optim/train/objective.hpp>

namespace maskgrad::detail {

/// What a part of a batch counts, as numbers that ranks send each other: positions that fell away,
/// sequences that were left out, the loss, the metrics.
std::vector<double> measure_part(const Batch& part, const Tensors& outputs, const Loss& loss,
                                 std::vector<TrainingMetric>& metrics);

/// What is not of the loss or a metric.
struct PartCounts {
  std::int64_t fallen_away = 0, infeasible = 0;
};
/// Adds such numbers to what is counted.
PartCounts merge_part(const std::vector<double>& numbers, LossTotal& loss,
                      std::vector<TrainingMetric>& metrics);

}  // namespace maskgrad::detail
