#include <fmt/format.h>

#include <maskgrad/optim/train/failure.hpp>
#include <maskgrad/optim/train/fit_run.hpp>

// What happens at the end of an epoch.

namespace maskgrad::detail {

bool FitRun::end_epoch() {
  EpochRecord record = history_.record();
  const auto begin = std::chrono::steady_clock::now();
  if (!evaluate_epoch(record)) return false;
  history_.end_epoch(record, seconds_since(begin));
  rate_.end_epoch(record.logs);
  checks_.check_monitor(rate_.monitor(), record);
  reporter_.end_epoch(record);
  if (setup_.options.on_epoch) call_back(setup_.options.on_epoch, record.epoch, record.logs);
  agree_to_end(true);
  const bool last = done() || stop_;
  checkpointer_.end_epoch(last);
  if (!last && reporter_.report_is_due()) reporter_.write_report(result());
  return true;
}

bool FitRun::evaluate_epoch(EpochRecord& record) {
  std::optional<MovingAverage::Use> use;
  if (setup_.average) use.emplace(*setup_.average);
  const auto begin = std::chrono::steady_clock::now();
  if (setup_.options.validation) {
    const RunState trained = history_.counted();
    const auto logs = validate(record.epoch);
    if (!logs) {
      history_.set_metrics(trained);
      return false;
    }
    for (const auto& [name, value] : logs->values()) record.logs.set("val_" + name, value);
  }
  record.logs.set("learning_rate", setup_.optimizer.learning_rate());
  record.logs.set("rows_per_second", history_.rows_per_second());
  record.logs.set("padding_skipped", history_.padding_skipped());
  record.logs.set("seconds", history_.state().seconds + seconds_since(begin));
  share(record.logs);
  checks_.check_monitor(early_stopping_.monitor(), record);
  early_stopping_.end_epoch(record);
  return true;
}

std::optional<Logs> FitRun::validate(std::int64_t epoch) {
  FitOptions& options = setup_.options;
  std::int64_t fallen = 0;
  const auto seen = [&](const Loss& loss) {
    if (options.strict_lengths) refuse_fallen_away(loss);
    fallen += loss.fallen_away();
  };
  try {
    auto logs = evaluate_unless(
        setup_.model, *options.validation, options.loss, options.metrics,
        {.batch_invariant = options.batch_invariant}, [this] { return interrupts_.asked(); }, seen,
        options.ranks);
    interrupted_ = interrupted_ || !logs;
    checks_.check_fallen_away(fallen, "the validation data");
    return logs;
  } catch (const Error& error) {
    throw_again(error, fmt::format("fit: epoch {}, validation: ", epoch));
  }
}

}  // namespace maskgrad::detail
