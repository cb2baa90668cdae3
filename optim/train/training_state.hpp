#pragma once

#include <optional>
#include <string>
#include <vector>

#include <maskgrad/optim/train/history.hpp>

namespace maskgrad::detail {

/// Where a run stands in its epochs and batches, and what it has counted.
struct RunState {
  std::int64_t epoch = 0;  ///< from 0: the one that runs
  std::int64_t batch = 0;  ///< batches of it that are done
  std::int64_t step = 0;   ///< steps that were made, applied or not: noise goes by it
  std::int64_t applied = 0;
  // Of the epoch so far.
  std::int64_t skipped = 0, rows = 0, padding = 0, fallen_away = 0, infeasible = 0;
  double seconds = 0;
  std::vector<double> loss;                  ///< LossTotal::counted
  std::vector<std::vector<double>> metrics;  ///< TrainingMetric::counted
  std::vector<EpochRecord> epochs;

  bool operator==(const RunState&) const = default;
};

struct RateState {
  double base = 0, now = 0;  ///< the optimizer's own learning rate, and as it is now
  std::vector<double> schedule;

  bool operator==(const RateState&) const = default;
};

struct EarlyStoppingState {
  std::optional<double> best;
  std::optional<std::int64_t> best_epoch;  ///< from 1
  std::int64_t waited = 0;                 ///< epochs in a row that were not better
  bool stopped = false;

  bool operator==(const EarlyStoppingState&) const = default;
};

/// Where a training stands, beside its arrays: what a checkpoint's metadata hold.
struct TrainingState {
  RunState run;
  RateState rate;
  EarlyStoppingState early_stopping;
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
