#include <maskgrad/optim/train/run_history.hpp>

#include <algorithm>
#include <utility>

#include <maskgrad/optim/train/part_counts.hpp>

namespace maskgrad::detail {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

RunHistory::RunHistory(FitSetup& setup) : setup_(setup) {
  for (auto& metric : setup.options.metrics) metric.reset();
}

RunState RunHistory::counted() const {
  RunState state = state_;
  state.loss = loss_total_.counted();
  state.metrics.clear();
  for (const auto& metric : setup_.options.metrics) state.metrics.push_back(metric.counted());
  return state;
}

void RunHistory::set_state(RunState state) {
  state_ = std::move(state);
  loss_total_.set_counted(state_.loss);
  set_metrics(state_);
}

void RunHistory::set_metrics(const RunState& counted) {
  auto& metrics = setup_.options.metrics;
  for (std::size_t i = 0; i < std::min(metrics.size(), counted.metrics.size()); ++i) {
    metrics[i].set_counted(counted.metrics[i]);
  }
}

void RunHistory::begin_epoch() {
  step_began_ = Clock::now();
  batches_here_ = 0;
}

void RunHistory::count_part(const Batch& part, const Tensors& outputs, const Loss& loss) {
  state_.fallen_away += loss.fallen_away();
  state_.infeasible += loss.skipped();
  loss_total_.add(loss);
  for (auto& metric : setup_.options.metrics) metric.update(part, outputs);
}

std::vector<double> RunHistory::measure_part(const Batch& part, const Tensors& outputs,
                                             const Loss& loss) {
  return detail::measure_part(part, outputs, loss, setup_.options.metrics);
}

std::int64_t RunHistory::merge_part(const std::vector<double>& numbers) {
  const PartCounts counts = detail::merge_part(numbers, loss_total_, setup_.options.metrics);
  state_.fallen_away += counts.fallen_away;
  state_.infeasible += counts.infeasible;
  return counts.fallen_away;
}

void RunHistory::end_step(const Batch& batch, bool applied) {
  loss_total_.end_batch();
  ++state_.batch;
  ++state_.step;
  ++batches_here_;
  ++(applied ? state_.applied : state_.skipped);
  const auto rows = count_rows(batch);
  state_.rows += rows.valid;
  state_.padding += rows.padding;
  const auto now = Clock::now();
  state_.seconds += std::chrono::duration<double>(now - std::exchange(step_began_, now)).count();
}

void RunHistory::end_epoch(const EpochRecord& record, double evaluation_seconds) {
  evaluation_seconds_ = evaluation_seconds;
  state_.epochs.push_back(record);
  ++state_.epoch;
  state_.batch = state_.skipped = state_.rows = state_.padding = 0;
  state_.fallen_away = state_.infeasible = 0;
  state_.seconds = 0;
  loss_total_ = {};
  for (auto& metric : setup_.options.metrics) metric.reset();
}

Logs RunHistory::training_logs() const {
  Logs logs;
  logs.set("loss", loss_total_.value());
  for (const auto& metric : setup_.options.metrics) logs.set(metric.name(), metric.value());
  return logs;
}

EpochRecord RunHistory::record() const {
  return {state_.epoch + 1, state_.applied,  state_.skipped,     state_.rows,
          state_.padding,   training_logs(), state_.fallen_away, state_.infeasible};
}

double RunHistory::rows_per_second() const {
  return state_.seconds > 0 ? static_cast<double>(state_.rows) / state_.seconds : 0;
}

double RunHistory::padding_skipped() const {
  const auto all = state_.rows + state_.padding;
  return all > 0 ? static_cast<double>(state_.padding) / static_cast<double>(all) : 0;
}

BarPosition RunHistory::position(std::int64_t batches) const {
  const auto done = static_cast<double>(state_.batch), all = static_cast<double>(batches);
  const auto epochs_left = static_cast<double>(setup_.options.epochs - state_.epoch - 1);
  const double a_batch = state_.seconds / done;
  const bool known = batches_here_ > 1;  // the first one is slower
  return {.epoch = state_.epoch + 1,
          .epochs = setup_.options.epochs,
          .batch = state_.batch,
          .batches = batches,
          .rows_per_second = rows_per_second(),
          .padding_skipped = padding_skipped(),
          .seconds_left = known ? a_batch * (all - done + all * epochs_left) +
                                      evaluation_seconds_ * (epochs_left + 1)
                                : -1};
}

}  // namespace maskgrad::detail
