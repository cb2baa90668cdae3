#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <maskgrad/optim/logs.hpp>

namespace maskgrad {

/// What one epoch came to.
struct EpochRecord {
  std::int64_t epoch = 0;    ///< from 1
  std::int64_t steps = 0;    ///< applied since the beginning of the training
  std::int64_t skipped = 0;  ///< steps of this epoch without a valid position: nothing was applied
  std::int64_t rows = 0;     ///< valid rows that were trained on
  std::int64_t padding = 0;  ///< rows of padding beside them, which cost nothing
  /// loss, the metrics, val_loss, val_ of each metric, learning_rate, rows_per_second (valid ones),
  /// padding_skipped (its share), seconds. NaN where nothing was counted.
  Logs logs;
  /// Positions that fell away because the masks of target and prediction differ, see Loss.
  std::int64_t fallen_away = 0;
  std::int64_t infeasible = 0;  ///< sequences that the loss left out, see Loss::skipped

  bool operator==(const EpochRecord&) const = default;
};

/// What a training came to: fit gives it, a report is made of it.
struct History {
  std::vector<EpochRecord> epochs;
  std::int64_t first_epoch = 0;  ///< epochs that were done before this call, by a resumed run
  std::optional<std::int64_t> best_epoch;  ///< from 1, by early stopping's monitor
  bool stopped_early = false;
  bool interrupted = false;  ///< by Ctrl-C, SIGTERM; it goes on where it ended with `resume`
  std::vector<std::string>
      notes;  ///< what was said beside the bar: resumed from, could not be saved
  /// JSON: model, optimizer, schedule, loss, data and their options, seeds, versions.
  std::string settings = "{}";

  /// A value of each epoch in order. OptionError, with the nearest, for an unknown name.
  std::vector<double> values(std::string_view name) const;
  /// A value of the last epoch. StateError where there is no epoch.
  double last(std::string_view name) const;
};

}  // namespace maskgrad
