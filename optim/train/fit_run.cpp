#include <maskgrad/optim/train/fit_run.hpp>

#include <fmt/format.h>

#include <cmath>

#include <maskgrad/autograd/anomaly.hpp>
#include <maskgrad/autograd/noise.hpp>
#include <maskgrad/optim/train/failure.hpp>
#include <maskgrad/optim/train/report.hpp>
#include <maskgrad/optim/train/suspicions.hpp>
#include <maskgrad/optim/weight_noise.hpp>

namespace maskgrad::detail {
namespace {

constexpr std::string_view where = "fit";

/// GradError where the batch itself has a value that is not finite.
void check_finite(const Batch& batch) {
  const auto check = [&](std::string_view what, const Tensor& x) {
    const auto bad = first_not_finite(x);
    if (bad.empty()) return;
    fail<GradError>(where,
                    "{} of the batch, {}, has {}, at a valid position; mask what is missing, "
                    "or look at the data",
                    what, x.describe(), bad);
  };
  for (std::size_t i = 0; i < batch.inputs.size(); ++i) {
    check(fmt::format("input {}", i), batch.inputs[i]);
  }
  check("the target", batch.target);
  check("the weight", batch.weight);
}

}  // namespace

FitRun::FitRun(ModelRef model, Optimizer& optimizer, const Batches& batches, FitOptions options)
    : model_(std::move(model)),
      optimizer_(optimizer),
      batches_(batches),
      options_(std::move(options)),
      parameters_(model_.named_parameters()),
      interrupts_(options_.catch_interrupts),
      printer_(options_.progress, options_.output, options_.epochs) {
  check_options();
  if (options_.average) average_.emplace(model_.parameters(), *options_.average);
  if (!options_.checkpoints.folder.empty()) folder_.emplace(options_.checkpoints);
  if (!options_.metrics_file.empty()) metrics_file_.emplace(options_.metrics_file);
  step_options_ = {.micro_batches = options_.micro_batches,
                   .batch_invariant = options_.batch_invariant,
                   .strict_lengths = options_.strict_lengths,
                   .clip_norm = options_.clip_norm,
                   .clip_value = options_.clip_value,
                   .weight_noise = options_.weight_noise,
                   .seed = Seed{options_.seed},
                   .seen = [this](const Batch& part, const Tensors& outputs, const Loss& loss) {
                     see(part, outputs, loss);
                   }};
}

void FitRun::see(const Batch& part, const Tensors& outputs, const Loss& loss) {
  if (!std::exchange(checked_first_, true)) {
    check_reductions(loss);
    for (auto& line : suspicions(model_, options_.loss, part, outputs)) {
      note(fmt::format("at the first step: {}", line));
    }
  }
  note_fallen_away(loss.fallen_away(), "the training data");
  state_.fallen_away += loss.fallen_away();
  state_.infeasible += loss.skipped();
  loss_total_.add(loss);
  for (auto& metric : options_.metrics) metric.update(part, outputs);
}

FitRun::~FitRun() {
  if (begun_ && options_.schedule) optimizer_.set_learning_rate(state_.base_rate);
}

History FitRun::run() {
  begin();
  try {
    train();
  } catch (const std::exception& error) {
    report(error.what());
    throw;
  }
  finish();
  report();
  return std::move(history_);
}

void FitRun::train() {
  bool whole = true;
  while (whole && state_.epoch < options_.epochs && !state_.stopped_early && !stop_) {
    whole = train_epoch() && end_epoch() && !leave();
  }
  const bool done = state_.epoch >= options_.epochs || state_.stopped_early;
  history_.interrupted = leave() && !done;
  if (history_.interrupted || (stop_ && !done)) save();
  if (history_.interrupted) say_goodbye();
}

bool FitRun::train_epoch() {
  lap_ = Clock::now();
  trained_here_ = 0;
  const auto size = batches_.size(state_.epoch);
  if (state_.batch >= size) return true;
  try {
    for (const Batch& batch : batches_.epoch(state_.epoch, state_.batch)) {
      after_step(batch, step_on(batch, size), size);
      if (leave() || stop_) break;
    }
  } catch (const Error& error) {  // of the data, or of a callback
    if (std::string_view(error.what()).starts_with("fit: epoch ")) throw;
    fail_in_step(error, size);
  }
  return !leave() && !stop_;
}

void FitRun::fail_in_step(const Error& error, std::int64_t size,
                          const std::string& sequences) const {
  throw_again(error,
              fmt::format("fit: epoch {}, step {} (batch {} of {}): ", state_.epoch + 1,
                          state_.step + 1, state_.batch + 1, size),
              sequences);
}

TrainStep FitRun::step_on(const Batch& batch, std::int64_t size) {
  if (options_.schedule) {
    const auto share = static_cast<double>(state_.batch) / static_cast<double>(size);
    const SchedulePosition at{static_cast<double>(state_.epoch) + share, state_.step};
    optimizer_.set_learning_rate(state_.base_rate * options_.schedule.factor(at));
  }
  // Without a seed noise goes by the step, as in a loop by hand.
  const auto first = options_.seed == 0 ? 0 : Seed{options_.seed}.of("fit").value;
  set_noise_position({first + static_cast<std::uint64_t>(state_.step), 0});
  try {
    std::optional<DetectAnomaly> anomaly;
    if (options_.detect_anomaly) {
      check_finite(batch);
      anomaly.emplace();
    }
    return train_step(model_, optimizer_, options_.loss, batch, step_options_);
  } catch (const Error& error) {
    fail_in_step(error, size, sequences_at_fault(error, model_, options_.loss, batch));
  }
}

void FitRun::after_step(const Batch& batch, const TrainStep& made, std::int64_t size) {
  loss_total_.end_batch();
  ++state_.batch;
  ++state_.step;
  ++trained_here_;
  ++(made.report.applied ? state_.applied : state_.skipped);
  if (made.report.applied && average_) average_->update();
  const auto rows = count_rows(batch);
  state_.rows += rows.valid;
  state_.padding += rows.padding;
  const auto now = Clock::now();
  state_.seconds += std::chrono::duration<double>(now - std::exchange(lap_, now)).count();
  if (options_.on_step) {
    Logs logs;
    logs.set("loss", made.loss);
    logs.set("norm", made.report.norm);
    call_back(options_.on_step, state_.epoch + 1, logs);
  }
  if (printer_.due()) show(size);
  const auto every = options_.checkpoints.every_steps;
  if (every > 0 && state_.step % every == 0) save();
}

void FitRun::call_back(const std::function<void(FitEvent&)>& f, std::int64_t epoch,
                       const Logs& logs) {
  FitEvent event{epoch, state_.step, logs, optimizer_};
  f(event);
  stop_ = stop_ || event.stop;
}

void FitRun::show(std::int64_t size) {
  const auto done = static_cast<double>(state_.batch), all = static_cast<double>(size);
  const auto epochs_left = static_cast<double>(options_.epochs - state_.epoch - 1);
  const double a_batch = state_.seconds / done;
  BarPosition at{state_.epoch + 1,
                 options_.epochs,
                 state_.batch,
                 size,
                 rows_per_second(),
                 padding_skipped(),
                 -1};
  if (trained_here_ > 1) {
    at.seconds_left = a_batch * (all - done + all * epochs_left) + evaluation_ * (epochs_left + 1);
  }
  printer_.step(at, training_logs());
}

double FitRun::rows_per_second() const {
  return state_.seconds > 0 ? static_cast<double>(state_.rows) / state_.seconds : 0;
}
double FitRun::padding_skipped() const {
  const auto all = state_.rows + state_.padding;
  return all > 0 ? static_cast<double>(state_.padding) / static_cast<double>(all) : 0;
}

Logs FitRun::training_logs() const {
  Logs logs;
  logs.set("loss", loss_total_.value());
  for (const auto& metric : options_.metrics) logs.set(metric.name(), metric.value());
  return logs;
}

}  // namespace maskgrad::detail
