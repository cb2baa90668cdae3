#pragma once

#include <maskgrad/optim/train/fit_setup.hpp>
#include <maskgrad/optim/train/training_state.hpp>

namespace maskgrad::detail {

/// The optimizer's learning rate while a run lasts: by the schedule, where there is one. At the end
/// it is the optimizer's own again.
class ScheduledRate {
 public:
  explicit ScheduledRate(FitSetup& setup);
  ~ScheduledRate();
  ScheduledRate(const ScheduledRate&) = delete;
  ScheduledRate& operator=(const ScheduledRate&) = delete;

  /// Sets that of a step.
  void begin_step(const SchedulePosition& at) const;
  void end_epoch(const Logs& logs);
  /// The name of the value that the schedule watches; empty where it watches none.
  std::string_view monitor() const;

  RateState state() const;
  /// What was wrong with the schedule's own state; it then begins anew.
  std::string set_state(const RateState& saved);

 private:
  Optimizer& optimizer_;
  Schedule& schedule_;
  double base_;
};

}  // namespace maskgrad::detail
