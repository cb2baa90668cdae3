#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <maskgrad/optim/train/fit.hpp>
#include <maskgrad/optim/train/interrupts.hpp>
#include <maskgrad/optim/train/metrics_file.hpp>
#include <maskgrad/optim/train/training_state.hpp>

namespace maskgrad {
struct ReportOptions;
}

namespace maskgrad::detail {

/// One call of fit. Everything that decides what comes next is in the model, the optimizer and the
/// members below `state_`; a checkpoint holds all of it.
class FitRun {
 public:
  FitRun(ModelRef model, Optimizer& optimizer, const Batches& batches, FitOptions options);
  ~FitRun();
  FitRun(const FitRun&) = delete;
  FitRun& operator=(const FitRun&) = delete;

  History run();

 private:
  using Clock = std::chrono::steady_clock;

  // fit_run.cpp
  void train();
  /// False where it ended before the epoch did: interrupted, or stopped by a callback.
  bool train_epoch();
  TrainStep step_on(const Batch& batch, std::int64_t size);
  /// Throws the error again with the epoch, the step and, where they are known, the sequences.
  [[noreturn]] void fail_in_step(const Error& error, std::int64_t size,
                                 const std::string& sequences = {}) const;
  void see(const Batch& part, const Tensors& outputs, const Loss& loss);
  void after_step(const Batch& batch, const TrainStep& made, std::int64_t size);
  void call_back(const std::function<void(FitEvent&)>& f, std::int64_t epoch, const Logs& logs);
  void show(std::int64_t size);
  double rows_per_second() const;
  double padding_skipped() const;
  Logs training_logs() const;
  bool leave() const { return interrupts_.asked(); }

  // fit_epoch.cpp
  /// Puts what the loss and the metrics have counted into the state.
  void count();
  /// False where it was interrupted in the validation.
  bool end_epoch();
  bool judge(EpochRecord& record);
  void keep_best();
  /// Puts what the state knows of epochs into the history.
  void tell();
  void finish();

  /// The logs of the validation; nothing where it was interrupted.
  std::optional<Logs> validate(std::int64_t epoch);
  /// Says once of each name that its value is no number that could be the best.
  void watch_over(std::string_view monitor, const EpochRecord& record);

  // fit_check.cpp
  void check_options();
  void check_schedule() const;
  void note_fallen_away(std::int64_t positions, const std::string& where);

  // fit_resume.cpp
  std::string settings() const;
  void begin();
  void resume();
  /// FileError, with nothing changed, where the checkpoint is not one that this training wrote.
  void check(const CheckpointFolder::Found& found, const TrainingState& saved);
  void check_metrics(const TrainingState& saved);
  void check_arrays(const CheckpointFolder::Found& found, const TrainingState& saved);
  /// The states of each layer that carries some, by the checkpoint.
  std::vector<std::pair<CarriedState*, Tensors>> carried_from(
      const CheckpointFolder::Found& found) const;
  void compare(const std::filesystem::path& from, TrainingState& saved);
  void take(const CheckpointFolder::Found& found, TrainingState saved);

  // fit_report.cpp
  void begin_report();
  void report_if_due();
  void report(std::string failure = {});

  // fit_save.cpp
  SavedValues saved_values();
  NamedArrays carried() const;
  void save();
  void check_reductions(const Loss& loss);
  void note(std::string text, bool warning = false);
  void try_to_write(const std::function<void()>& write);
  void begin_metrics();
  void add_to_metrics(const EpochRecord& record);
  void warn_of_metrics(const std::string& problem);
  void say_goodbye();

  ModelRef model_;
  Optimizer& optimizer_;
  Batches batches_;
  FitOptions options_;
  StepOptions step_options_;
  std::vector<NamedParameter> parameters_;
  Interrupts interrupts_;
  ProgressPrinter printer_;
  std::optional<CheckpointFolder> folder_;
  std::optional<MetricsFile> metrics_file_;
  std::unique_ptr<ReportOptions> report_;  ///< none: no report is asked for
  Clock::time_point reported_{};
  double report_seconds_ = 0;  ///< that the last one took
  bool report_failed_ = false, metrics_failed_ = false;
  History history_;
  bool begun_ = false, stop_ = false;
  std::pair<std::int64_t, std::int64_t> saved_at_{-1, -1};  ///< epoch and batch
  std::filesystem::path saved_to_;
  bool checked_first_ = false;          ///< what the first step shows
  bool said_fallen_away_ = false;       ///< that positions fall away
  std::vector<std::string> said_of_{};  ///< monitors of which it was said that they are not finite
  std::int64_t trained_here_ = 0;       ///< batches of the epoch that this call trained on
  Clock::time_point lap_{};
  double evaluation_ = 0;  ///< seconds that the last one took

  TrainingState state_;
  LossTotal loss_total_;
  std::optional<MovingAverage> average_;
  std::optional<Watch> watch_;
  std::vector<Tensor> best_;  ///< values of parameters_; empty before the first epoch
};

}  // namespace maskgrad::detail
