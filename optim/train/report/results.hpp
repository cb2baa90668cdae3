#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <maskgrad/optim/train/history.hpp>

namespace maskgrad::report {

/// The epoch that early stopping found best; without it the one of the lowest val_loss, or loss.
struct BestEpoch {
  std::optional<std::size_t> at;  ///< in History::epochs
  std::string monitor;            ///< by what; empty where the history does not say it
};
BestEpoch best_epoch(const History& history);

/// The numbers that one looks at first.
std::string headline(const History& history, std::int64_t parameters);
/// Loss and metrics at the best and at the last epoch.
std::string results(const History& history);
/// A chart for the loss, for each metric, for the learning rate and for the speed.
std::string curves(const History& history);
/// A row for each epoch, folded.
std::string epochs(const History& history);

}  // namespace maskgrad::report
