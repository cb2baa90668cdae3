#pragma once

#include <chrono>

#include <maskgrad/optim/train/fit_setup.hpp>
#include <maskgrad/optim/train/training_state.hpp>

namespace maskgrad::detail {

double seconds_since(std::chrono::steady_clock::time_point begin);

/// Where a run stands in its epochs and batches, and what it has counted on the way.
class RunHistory {
 public:
  explicit RunHistory(FitSetup& setup);

  const RunState& state() const { return state_; }
  /// The same with what the loss and the metrics have counted, as checkpoints hold it.
  RunState counted() const;
  /// A checkpoint's, from which the run goes on.
  void set_state(RunState state);
  /// Puts the metrics back to what they had counted then.
  void set_metrics(const RunState& counted);

  /// The run begins where the state is now.
  void begin_run() { first_epoch_ = state_.epoch; }
  std::int64_t first_epoch() const { return first_epoch_; }
  void begin_epoch();
  /// A part of a batch, with what the model gave for it.
  void count_part(const Batch& part, const Tensors& outputs, const Loss& loss);
  /// The same in two, where ranks send each other what they count. Gives the positions that fell
  /// away.
  std::vector<double> measure_part(const Batch& part, const Tensors& outputs, const Loss& loss);
  std::int64_t merge_part(const std::vector<double>& numbers);
  void end_step(const Batch& batch, bool applied);
  /// `evaluation_seconds`: how long its validation took.
  void end_epoch(const EpochRecord& record, double evaluation_seconds);

  /// The loss and the metrics of the epoch so far.
  Logs training_logs() const;
  /// The epoch so far.
  EpochRecord record() const;
  double rows_per_second() const;
  double padding_skipped() const;
  /// Where the bar stands in an epoch of `batches`.
  BarPosition position(std::int64_t batches) const;

 private:
  FitSetup& setup_;
  RunState state_;
  LossTotal loss_total_;
  std::int64_t first_epoch_ = 0;   ///< epochs that were done before this call of fit
  std::int64_t batches_here_ = 0;  ///< of the epoch, that this call of fit trained on
  std::chrono::steady_clock::time_point step_began_{};
  double evaluation_seconds_ = 0;  ///< of the last epoch
};

}  // namespace maskgrad::detail
