#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <maskgrad/optim/train/data_checks.hpp>
#include <maskgrad/optim/train/early_stopping.hpp>
#include <maskgrad/optim/train/scheduled_rate.hpp>

namespace maskgrad::detail {

class CarriedState;

/// The parts of a run that decide what comes next: a checkpoint holds the state of all.
struct RunParts {
  FitSetup& setup;
  Reporter& reporter;
  DataChecks& checks;
  RunHistory& history;
  ScheduledRate& rate;
  EarlyStopping& early_stopping;
};

/// Saves a run, and goes on from what was saved. Without a folder it does neither.
class Checkpointer {
 public:
  /// Throws:   OptionError for options out of range.
  explicit Checkpointer(const RunParts& parts);

  /// Goes on from the newest checkpoint, where there is one. FileError, with nothing changed, where
  /// it is not one that this training wrote.
  void resume();
  /// Unless the run was saved where it stands now.
  void save();
  /// After a step, and after an epoch: saves where it is time. `last`: no epoch comes behind.
  void end_step();
  void end_epoch(bool last);
  /// How an interrupted run goes on.
  std::string way_on() const;

 private:
  using Found = CheckpointFolder::Found;

  const Communicator& ranks() const { return parts_.setup.options.ranks.communicator; }
  /// What rank 0 has found, on all ranks.
  void share(std::optional<Found>& found) const;
  std::pair<std::int64_t, std::int64_t> place() const;
  // checkpointer.cpp
  SavedValues saved_values();
  NamedArrays carried() const;
  // checkpoint_check.cpp: FileError, with nothing changed, where the checkpoint cannot be.
  void check(const Found& found, const TrainingState& saved);
  void check_metrics(const TrainingState& saved);
  void check_arrays(const Found& found, const TrainingState& saved);
  /// The states of each layer that carries some, by the checkpoint.
  std::vector<std::pair<CarriedState*, Tensors>> carried_from(const Found& found) const;
  // checkpoint_resume.cpp
  /// Says what differs in the settings; leaves out what was counted of other metrics or losses.
  void compare(const Found& found, TrainingState& saved);
  void restore(const Found& found, TrainingState saved);

  RunParts parts_;
  std::optional<CheckpointFolder> folder_;
  std::pair<std::int64_t, std::int64_t> saved_at_{-1, -1};  ///< epoch and batch
  std::filesystem::path saved_to_;
};

/// The arrays of a checkpoint: states that layers carry, and all other values.
struct CheckpointArrays {
  explicit CheckpointArrays(const NamedArrays& arrays);
  NamedArrays values;
  std::map<std::string_view, const Array*> carried;
  bool has_best = false;  ///< the weights of the best epoch are there
};

/// Whether the difference is one that no training can go on over.
bool refuses(const SettingsDifference& difference, const TrainingState& saved);
/// What errors say of its arrays.
PutNames names_for(const std::filesystem::path& from);

}  // namespace maskgrad::detail
