#include <fmt/format.h>

#include <maskgrad/layers/recurrent/carried_state.hpp>
#include <maskgrad/optim/train/fit_run.hpp>

// What a checkpoint holds and how it is written; what is said.

namespace maskgrad::detail {
namespace {

void add(SavedValues& all, const std::string& prefix, SavedValues more) {
  for (auto& value : more) {
    value.name = prefix + value.name;
    all.push_back(std::move(value));
  }
}

}  // namespace

SavedValues FitRun::saved_values() {
  SavedValues all;
  add(all, "model/", detail::saved_values(parameters_));
  add(all, "optimizer/", optimizer_.saved_values());
  if (average_) add(all, "average/", average_->saved_values());
  for (std::size_t i = 0; i < best_.size(); ++i) {
    all.push_back(saved_in_place("best/" + parameters_[i].name, best_[i]));
  }
  return all;
}

NamedArrays FitRun::carried() const {
  NamedArrays arrays;
  model_.visit([&](const LayerView& view) {
    if (!view.carried) return;
    const Tensors& states = view.carried->states();
    for (std::size_t i = 0; i < states.size(); ++i) {
      arrays.push_back({fmt::format("carried/{}/{}", view.path, i), array_of(states[i])});
    }
  });
  return arrays;
}

void FitRun::save() {
  if (!folder_ || saved_at_ == std::pair{state_.epoch, state_.batch}) return;
  count();
  state_.rate = optimizer_.learning_rate();
  if (options_.schedule) state_.schedule = options_.schedule.rule()->state();
  try_to_write([&] {
    NamedArrays arrays = arrays_of(saved_values());
    for (auto& a : carried()) arrays.push_back(std::move(a));
    state_.arrays = static_cast<std::int64_t>(arrays.size());
    saved_to_ = folder_->write(state_.step, arrays, to_json(state_));
    saved_at_ = {state_.epoch, state_.batch};
  });
}

void FitRun::check_reductions(const Loss& loss) {
  std::string now;
  for (const auto& term : loss.terms()) {
    now += fmt::format("{}{}: {}", now.empty() ? "" : ", ", term.name, name(term.reduction));
  }
  if (!state_.reductions.empty() && state_.reductions != now) {
    note(fmt::format("goes on with another loss: {}, which was {}", now, state_.reductions), true);
  }
  state_.reductions = std::move(now);
}

void FitRun::note(std::string text, bool warning) {
  printer_.say(text, warning);
  history_.notes.push_back(std::move(text));
}

void FitRun::try_to_write(const std::function<void()>& write) {
  try {
    write();
  } catch (const FileError& error) {
    if (options_.checkpoints.stop_on_failure) throw;
    note(fmt::format("the training goes on, but: {}", error.what()), true);
  }
}

void FitRun::begin_metrics() {
  if (metrics_file_) warn_of_metrics(metrics_file_->begin(state_.epochs));
}

void FitRun::add_to_metrics(const EpochRecord& record) {
  if (metrics_file_) warn_of_metrics(metrics_file_->add(record));
}

/// Once, however often it fails: no training ends for a file that is beside it.
void FitRun::warn_of_metrics(const std::string& problem) {
  if (problem.empty() || std::exchange(metrics_failed_, true)) return;
  note(fmt::format("the training goes on, but: {}", problem), true);
}

void FitRun::say_goodbye() {
  const bool saved = saved_at_ == std::pair{state_.epoch, state_.batch};
  const std::string how =
      !folder_ ? "there is no checkpoint folder, so a new run begins anew"
      : saved  ? fmt::format("saved {}; run it again to go on", saved_to_.string())
               : std::string("this step could not be saved; the last checkpoint is older");
  note(
      fmt::format("interrupted in epoch {}, after step {}: {}", state_.epoch + 1, state_.step, how),
      true);
}

}  // namespace maskgrad::detail
