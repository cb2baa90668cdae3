#include <fmt/format.h>

#include <maskgrad/autograd/anomaly.hpp>
#include <maskgrad/autograd/noise.hpp>
#include <maskgrad/optim/distributed/shards.hpp>
#include <maskgrad/optim/train/failure.hpp>
#include <maskgrad/optim/train/fit_run.hpp>

// The batches of an epoch, a step each.

namespace maskgrad::detail {
namespace {

constexpr std::string_view in_fit_step = "fit";

/// GradError where the batch itself has a value that is not finite.
void check_finite(const Batch& batch) {
  const auto check = [&](std::string_view what, const Tensor& x) {
    const auto bad = first_not_finite(x);
    if (bad.empty()) return;
    fail<GradError>(in_fit_step,
                    "{} of the batch, {}, has {}, at a valid position; mask what is missing, "
                    "or look at the data",
                    what, x.describe(), bad);
  };
  if (batch.share) {
    for (const auto& shard : batch.share->own) check_finite(shard.batch);
    return;
  }
  for (std::size_t i = 0; i < batch.inputs.size(); ++i) {
    check(fmt::format("input {}", i), batch.inputs[i]);
  }
  check("the target", batch.target);
  check("the weight", batch.weight);
}

}  // namespace

bool FitRun::train_epoch() {
  history_.begin_epoch();
  const RunState& run = history_.state();
  const auto batches = setup_.batches.size(run.epoch);
  if (run.batch >= batches) return true;
  try {
    for (const Batch& batch : setup_.batches.epoch(run.epoch, run.batch, setup_.options.ranks)) {
      end_step(batch, make_step(batch, batches), batches);
      if (asked_to_end()) break;
    }
  } catch (const Error& error) {  // of the data, or of a callback
    if (std::string_view(error.what()).starts_with("fit: epoch ")) throw;
    fail_in_step(error, batches);
  }
  return !asked_to_end();
}

void FitRun::fail_in_step(const Error& error, std::int64_t batches,
                          const std::string& sequences) const {
  const RunState& run = history_.state();
  throw_again(error,
              fmt::format("fit: epoch {}, step {} (batch {} of {}): ", run.epoch + 1, run.step + 1,
                          run.batch + 1, batches),
              sequences);
}

StepOptions FitRun::step_options() {
  const FitOptions& options = setup_.options;
  StepOptions all{.micro_batches = options.micro_batches,
                  .batch_invariant = options.batch_invariant,
                  .segment = options.segment,
                  .truncate_gradients = options.truncate_gradients,
                  .strict_lengths = options.strict_lengths,
                  .clip_norm = options.clip_norm,
                  .clip_value = options.clip_value,
                  .weight_noise = options.weight_noise,
                  .seed = Seed{options.seed},
                  .ranks = options.ranks};
  all.seen = [this](const Batch& part, const Tensors& outputs, const Loss& loss) {
    checks_.check_part(part, outputs, loss);
    if (!ranks()) history_.count_part(part, outputs, loss);
  };
  if (ranks()) {
    all.count = [this](const Batch& part, const Tensors& outputs, const Loss& loss) {
      rows_here_ += static_cast<double>(count_rows(part).valid);
      return history_.measure_part(part, outputs, loss);
    };
    all.counted = [this](const std::vector<double>& numbers) {
      checks_.check_fallen_away(history_.merge_part(numbers), "the training data");
    };
    all.asks_to_end = [this] { return interrupts_.asked(); };
  }
  if (!options.before_update) return all;
  all.before_update = [this](const UpdateEvent& event) {
    const RunState& run = history_.state();
    setup_.options.before_update(
        {event.parameters, event.loss, event.count, run.epoch + 1, run.step + 1});
  };
  return all;
}

TrainStep FitRun::make_step(const Batch& batch, std::int64_t batches) {
  const RunState& run = history_.state();
  const auto share = static_cast<double>(run.batch) / static_cast<double>(batches);
  rate_.begin_step({static_cast<double>(run.epoch) + share, run.step});
  // Without a seed noise goes by the step, as in a loop by hand.
  const auto seed = setup_.options.seed;
  const auto first = seed == 0 ? 0 : Seed{seed}.of("fit").value;
  const NoiseStep noise({.step = first + static_cast<std::uint64_t>(run.step)});
  try {
    std::optional<DetectAnomaly> anomaly;
    if (setup_.options.detect_anomaly) {
      check_finite(batch);
      anomaly.emplace();
    }
    return make_train_step(setup_.model, setup_.optimizer, setup_.options.loss, batch,
                           step_options());
  } catch (const Error& error) {
    // Of a share, its shards have said which sequences it is.
    fail_in_step(error, batches,
                 batch.share ? std::string()
                             : sequences_at_fault(error, setup_.model, setup_.options.loss, batch));
  }
}

void FitRun::end_step(const Batch& batch, const TrainStep& made, std::int64_t batches) {
  interrupted_ = interrupted_ || made.asked_to_end;
  if (made.report.applied && setup_.average) setup_.average->update();
  history_.end_step(batch, made.report.applied);
  if (setup_.options.on_step) {
    Logs logs;
    logs.set("loss", made.loss);
    logs.set("norm", made.report.norm);
    call_back(setup_.options.on_step, history_.state().epoch + 1, logs);
  }
  if (any_on_step_) agree_to_end(false);
  reporter_.end_step(history_, batches);
  checkpointer_.end_step();
}

void FitRun::call_back(const std::function<void(FitEvent&)>& f, std::int64_t epoch,
                       const Logs& logs) {
  FitEvent event{epoch, history_.state().step, logs, setup_.optimizer};
  f(event);
  stop_ = stop_ || event.stop;
}

}  // namespace maskgrad::detail
