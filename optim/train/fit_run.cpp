#include <maskgrad/optim/train/fit_run.hpp>

#include <fmt/format.h>

#include <maskgrad/optim/distributed/shard_optimizer.hpp>

namespace maskgrad::detail {

FitRun::FitRun(ModelRef model, Optimizer& optimizer, const Batches& batches, FitOptions options)
    : setup_(std::move(model), optimizer, batches, std::move(options)),
      interrupts_(setup_.options.catch_interrupts),
      reporter_(setup_),
      checks_(setup_, reporter_),
      history_(setup_),
      rate_(setup_),
      early_stopping_(setup_),
      checkpointer_({setup_, reporter_, checks_, history_, rate_, early_stopping_}) {}

History FitRun::run() {
  begin();
  bool interrupted = false;
  try {
    interrupted = train();
  } catch (const std::exception& error) {
    reporter_.write_report(result(), error.what());
    throw;
  }
  if (!interrupted) finish();
  gather_optimizer(setup_.optimizer, ranks());
  tell_of_ranks();
  reporter_.write_report(result(interrupted));
  return result(interrupted);
}

void FitRun::begin() {
  check_settings();
  gather_optimizer(setup_.optimizer, ranks());  // of a training that was cut off, or by hand
  checkpointer_.resume();
  check_state();
  const RunState& run = history_.state();
  if (run.epoch == 0 && run.batch == 0) setup_.model.reset_states();
  history_.begin_run();
  if (setup_.batches.data().size() == 0) {
    reporter_.note("fit: the data have no sequences, so there is nothing to train on", true);
  }
  reporter_.begin(run);
  simulate();
}

bool FitRun::done() const {
  return history_.state().epoch >= setup_.options.epochs || early_stopping_.stopped();
}

bool FitRun::train() {
  bool whole = true;
  while (whole && !done() && !stop_) {
    whole = train_epoch() && end_epoch() && !interrupted();
  }
  if (done()) return false;
  const bool by_signal = interrupted();
  if (by_signal || stop_) checkpointer_.save();
  if (by_signal) {
    const RunState& run = history_.state();
    reporter_.note(fmt::format("interrupted in epoch {}, after step {}: {}", run.epoch + 1,
                               run.step, checkpointer_.way_on()),
                   true);
  }
  return by_signal;
}

void FitRun::finish() {
  if (early_stopping_.has_weights()) {
    early_stopping_.restore_weights();
  } else if (setup_.average) {
    setup_.average->swap();
  }
}

History FitRun::result(bool interrupted) const {
  return {.epochs = history_.state().epochs,
          .first_epoch = history_.first_epoch(),
          .best_epoch = early_stopping_.state().best_epoch,
          .stopped_early = early_stopping_.stopped(),
          .interrupted = interrupted,
          .notes = reporter_.notes(),
          .settings = setup_.settings};
}

}  // namespace maskgrad::detail
