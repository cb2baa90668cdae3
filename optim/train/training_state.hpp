#pragma once

#include <optional>
#include <string>
#include <vector>

#include <maskgrad/optim/train/history.hpp>

namespace maskgrad::detail {

/// Where a training stands, beside its arrays: what a checkpoint's metadata hold.
struct TrainingState {
  std::int64_t epoch = 0;  ///< from 0: the one that runs
  std::int64_t batch = 0;  ///< batches of it that are done
  std::int64_t step = 0;   ///< steps that were made, applied or not: noise goes by it
  std::int64_t applied = 0;
  // Of the epoch so far.
  std::int64_t skipped = 0, rows = 0, padding = 0, fallen_away = 0, infeasible = 0;
  double seconds = 0;
  std::vector<double> loss;                  ///< LossTotal::counted
  std::vector<std::vector<double>> metrics;  ///< TrainingMetric::counted
  // The learning rate: the optimizer's own, and as it is now.
  double base_rate = 0, rate = 0;
  std::vector<double> schedule;
  // Early stopping.
  std::optional<double> best;
  std::optional<std::int64_t> best_epoch;
  std::int64_t waited = 0;
  bool stopped_early = false;
  std::vector<EpochRecord> epochs;
  std::string reductions = {};  ///< of the loss's terms, `mean_squared_error: mean`
  std::string settings = "{}";  ///< JSON
  std::int64_t arrays = -1;     ///< that the checkpoint has beside it; -1: it does not say

  bool operator==(const TrainingState&) const = default;
};

std::string to_json(const TrainingState& state);
/// FileError, naming `from`, where the text is no such state, or its numbers cannot be together.
TrainingState training_state_from(std::string_view from, std::string_view json);

/// What differs between the settings of a checkpoint and those of the run that goes on from it.
struct SettingsDifference {
  std::string path;    ///< as `/optimizer/config/beta_1`
  std::string change;  ///< as `0.9, now 0.8`
};
std::vector<SettingsDifference> differences(const std::string& saved, const std::string& now);

}  // namespace maskgrad::detail
