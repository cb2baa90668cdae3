#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <maskgrad/core/quoted.hpp>
#include <maskgrad/optim/train/failure.hpp>
#include <maskgrad/optim/train/fit_run.hpp>

// What happens at the end of an epoch, and of the training.

namespace maskgrad::detail {
namespace {

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

void FitRun::count() {
  state_.loss = loss_total_.counted();
  state_.metrics.clear();
  for (const auto& metric : options_.metrics) state_.metrics.push_back(metric.counted());
}

bool FitRun::end_epoch() {
  EpochRecord record{state_.epoch + 1, state_.applied,  state_.skipped,     state_.rows,
                     state_.padding,   training_logs(), state_.fallen_away, state_.infeasible};
  const auto begin = Clock::now();
  if (!judge(record)) return false;
  evaluation_ = seconds_since(begin);
  state_.epochs.push_back(record);
  options_.schedule.end_epoch(record.logs);
  if (options_.schedule) watch_over(options_.schedule.rule()->monitor(), record);
  ++state_.epoch;
  state_.batch = state_.skipped = state_.rows = state_.padding = 0;
  state_.fallen_away = state_.infeasible = 0;
  state_.seconds = 0;
  loss_total_ = {};
  for (auto& metric : options_.metrics) metric.reset();
  add_to_metrics(record);
  printer_.epoch(record);
  if (options_.on_epoch) call_back(options_.on_epoch, record.epoch, record.logs);
  const auto every = options_.checkpoints.every_epochs;
  const bool last = state_.epoch == options_.epochs || state_.stopped_early || stop_;
  if (last || (every > 0 && state_.epoch % every == 0)) save();
  if (!last) report_if_due();
  return true;
}

bool FitRun::judge(EpochRecord& record) {
  std::optional<MovingAverage::Use> use;
  if (average_) use.emplace(*average_);
  const auto begin = Clock::now();
  if (options_.validation) {
    count();
    const auto logs = validate(record.epoch);
    for (std::size_t i = 0; !logs && i < state_.metrics.size(); ++i) {
      options_.metrics[i].set_counted(state_.metrics[i]);
    }
    if (!logs) return false;
    for (const auto& [name, value] : logs->values()) record.logs.set("val_" + name, value);
  }
  record.logs.set("learning_rate", optimizer_.learning_rate());
  record.logs.set("rows_per_second", rows_per_second());
  record.logs.set("padding_skipped", padding_skipped());
  record.logs.set("seconds", state_.seconds + seconds_since(begin));
  if (!watch_) return true;
  watch_over(watch_->monitor(), record);
  const auto& early = *options_.early_stopping;
  if (watch_->better(record.logs)) {
    state_.best_epoch = record.epoch;
    state_.waited = 0;
    if (early.restore_best) keep_best();
  } else if (++state_.waited >= early.patience) {
    state_.stopped_early = true;
  }
  state_.best = watch_->best();
  return true;
}

std::optional<Logs> FitRun::validate(std::int64_t epoch) {
  std::int64_t fallen = 0;
  const auto seen = [&](const Loss& loss) {
    if (options_.strict_lengths) refuse_fallen_away(loss);
    fallen += loss.fallen_away();
  };
  try {
    auto logs = evaluate_unless(
        model_, *options_.validation, options_.loss, options_.metrics,
        {.batch_invariant = options_.batch_invariant}, [this] { return leave(); }, seen);
    note_fallen_away(fallen, "the validation data");
    return logs;
  } catch (const Error& error) {
    throw_again(error, fmt::format("fit: epoch {}, validation: ", epoch));
  }
}

void FitRun::watch_over(std::string_view monitor, const EpochRecord& record) {
  const auto value = record.logs.find(monitor);
  if (!value || std::isfinite(*value)) return;
  if (std::find(said_of_.begin(), said_of_.end(), monitor) != said_of_.end()) return;
  said_of_.emplace_back(monitor);
  note(
      fmt::format("{} is {} in epoch {}: an epoch without a finite value is never the best, and "
                  "counts as one that is not better",
                  printable(monitor), *value, record.epoch));
}

void FitRun::keep_best() {
  best_.clear();
  for (const auto& named : parameters_) best_.push_back(named.parameter.value());
}

void FitRun::tell() {
  history_.epochs = state_.epochs;
  history_.best_epoch = state_.best_epoch;
  history_.stopped_early = state_.stopped_early;
}

void FitRun::finish() {
  tell();
  if (history_.interrupted) return;
  if (!best_.empty()) {
    for (std::size_t i = 0; i < best_.size(); ++i) parameters_[i].parameter.set(best_[i]);
  } else if (average_) {
    average_->swap();
  }
}

}  // namespace maskgrad::detail
