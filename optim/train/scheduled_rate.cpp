#include <maskgrad/optim/train/scheduled_rate.hpp>

namespace maskgrad::detail {

ScheduledRate::ScheduledRate(FitSetup& setup)
    : optimizer_(setup.optimizer),
      schedule_(setup.options.schedule),
      base_(setup.optimizer.learning_rate()) {}

ScheduledRate::~ScheduledRate() {
  if (schedule_) optimizer_.set_learning_rate(base_);
}

void ScheduledRate::begin_step(const SchedulePosition& at) const {
  if (schedule_) optimizer_.set_learning_rate(base_ * schedule_.factor(at));
}

void ScheduledRate::end_epoch(const Logs& logs) {
  schedule_.end_epoch(logs);
}

std::string_view ScheduledRate::monitor() const {
  return schedule_ ? schedule_.rule()->monitor() : std::string_view();
}

RateState ScheduledRate::state() const {
  return {base_, optimizer_.learning_rate(),
          schedule_ ? schedule_.rule()->state() : std::vector<double>()};
}

std::string ScheduledRate::set_state(const RateState& saved) {
  // With another rate of its own, the optimizer goes on with that.
  if (saved.base == base_) optimizer_.set_learning_rate(saved.now);
  try {
    if (schedule_) schedule_.rule()->set_state(saved.schedule);
  } catch (const OptionError& error) {
    return error.what();
  }
  return {};
}

}  // namespace maskgrad::detail
