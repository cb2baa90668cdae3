#pragma once

#include <functional>
#include <optional>
#include <string>

#include <maskgrad/optim/train/checkpointer.hpp>
#include <maskgrad/optim/train/interrupts.hpp>

namespace maskgrad::detail {

/// One call of fit: the loop over epochs and batches. What it counts, says, watches and saves is
/// that of its parts, each of which has a state of its own.
class FitRun {
 public:
  FitRun(ModelRef model, Optimizer& optimizer, const Batches& batches, FitOptions options);
  FitRun(const FitRun&) = delete;
  FitRun& operator=(const FitRun&) = delete;

  History run();

 private:
  void begin();
  /// Whether it was interrupted before all was done.
  bool train();
  void finish();
  History result(bool interrupted = false) const;
  /// All epochs are done, or early stopping ended them.
  bool done() const;
  /// A signal or a callback asks to end where it stands.
  bool asked_to_end() const { return stop_ || interrupted(); }
  /// By a signal; of several ranks, of any of them as far as all know of it.
  bool interrupted() const { return ranks() ? interrupted_ : interrupts_.asked(); }
  const Communicator& ranks() const { return setup_.options.ranks.communicator; }

  // fit_ranks.cpp
  /// Throws where the ranks would not train the same: by their settings, by where they begin.
  void check_settings();
  void check_state();
  /// All ranks come to one decision: whether any wants to end.
  void agree_to_end(bool signals_too);
  /// What rank 0 has, on all: what is decided by it must not differ.
  void share(Logs& logs) const;
  /// What the training would be on other numbers of ranks, where that is asked for.
  void simulate();
  /// A note on the ranks: their share of the rows, and what communication took.
  void tell_of_ranks();

  // fit_step.cpp
  /// False where it ended before the epoch did: interrupted, or stopped by a callback.
  bool train_epoch();
  TrainStep make_step(const Batch& batch, std::int64_t batches);
  StepOptions step_options();
  void end_step(const Batch& batch, const TrainStep& made, std::int64_t batches);
  /// Throws the error again with the epoch, the step and, where they are known, the sequences.
  [[noreturn]] void fail_in_step(const Error& error, std::int64_t batches,
                                 const std::string& sequences = {}) const;
  void call_back(const std::function<void(FitEvent&)>& f, std::int64_t epoch, const Logs& logs);

  // fit_epoch.cpp
  /// False where it was interrupted in the validation.
  bool end_epoch();
  /// Adds what the validation gave to the record; false where it was interrupted.
  bool evaluate_epoch(EpochRecord& record);
  std::optional<Logs> validate(std::int64_t epoch);

  FitSetup setup_;
  Interrupts interrupts_;
  Reporter reporter_;
  DataChecks checks_;
  RunHistory history_;
  ScheduledRate rate_;
  EarlyStopping early_stopping_;
  Checkpointer checkpointer_;
  bool stop_ = false;  ///< a callback asked for it
  bool interrupted_ = false;
  bool any_on_step_ = false;          ///< on some rank a callback may stop after each step
  double rows_here_ = 0, began_ = 0;  ///< valid rows of this rank; seconds of communication before
  std::chrono::steady_clock::time_point begin_{};
};

}  // namespace maskgrad::detail
