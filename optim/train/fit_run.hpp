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
  bool asked_to_end() const { return stop_ || interrupts_.asked(); }

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
};

}  // namespace maskgrad::detail
