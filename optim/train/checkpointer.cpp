#include <maskgrad/optim/train/checkpointer.hpp>

#include <fmt/format.h>

#include <maskgrad/optim/distributed/shard_optimizer.hpp>
#include <maskgrad/optim/train/carried_rows.hpp>

// What a checkpoint holds, and when it is written.

namespace maskgrad::detail {
namespace {

void add(SavedValues& all, const std::string& prefix, SavedValues more) {
  for (auto& value : more) {
    value.name = prefix + value.name;
    all.push_back(std::move(value));
  }
}

}  // namespace

Checkpointer::Checkpointer(const RunParts& parts) : parts_(parts) {
  const auto& options = parts.setup.options.checkpoints;
  if (!options.folder.empty()) folder_.emplace(options);
}

std::pair<std::int64_t, std::int64_t> Checkpointer::place() const {
  const RunState& run = parts_.history.state();
  return {run.epoch, run.batch};
}

SavedValues Checkpointer::saved_values() {
  SavedValues all;
  add(all, "model/", detail::saved_values(parts_.setup.parameters));
  add(all, "optimizer/", parts_.setup.optimizer.saved_values());
  if (parts_.setup.average) add(all, "average/", parts_.setup.average->saved_values());
  add(all, "", parts_.early_stopping.saved_values());
  return all;
}

NamedArrays Checkpointer::carried() const {
  NamedArrays arrays;
  parts_.setup.model.visit([&](const LayerView& view) {
    if (!view.carried) return;
    const Tensors& states = view.carried->states();
    for (std::size_t i = 0; i < states.size(); ++i) {
      arrays.push_back({fmt::format("carried/{}/{}", view.path, i), array_of(states[i])});
    }
  });
  return arrays;
}

void Checkpointer::save() {
  if (!folder_ || saved_at_ == place()) return;
  if (ranks()) share_carried(parts_.setup.model, parts_.setup.options.ranks);
  const bool in_parts = ranks() && parts_.setup.options.ranks.shard_optimizer;
  if (in_parts) gather_on_rank_0(parts_.setup.optimizer, ranks());
  if (ranks().rank() > 0) {
    saved_at_ = place();  // as far as this rank knows
    return;
  }
  TrainingState state{parts_.history.counted(), parts_.rate.state(), parts_.early_stopping.state(),
                      parts_.checks.reductions(), parts_.setup.settings};
  try {
    NamedArrays arrays = arrays_of(saved_values());
    for (auto& a : carried()) arrays.push_back(std::move(a));
    state.arrays = static_cast<std::int64_t>(arrays.size());
    saved_to_ = folder_->write(state.run.step, arrays, to_json(state));
    saved_at_ = place();
  } catch (const FileError& error) {
    if (parts_.setup.options.checkpoints.stop_on_failure) throw;
    parts_.reporter.warn_that_it_goes_on(error.what());
  }
  if (in_parts) keep_part(parts_.setup.optimizer, ranks());
}

void Checkpointer::end_step() {
  const auto every = parts_.setup.options.checkpoints.every_steps;
  if (every > 0 && parts_.history.state().step % every == 0) save();
}

void Checkpointer::end_epoch(bool last) {
  const auto every = parts_.setup.options.checkpoints.every_epochs;
  if (last || (every > 0 && parts_.history.state().epoch % every == 0)) save();
}

std::string Checkpointer::way_on() const {
  if (!folder_) return "there is no checkpoint folder, so a new run begins anew";
  if (saved_at_ == place()) {
    return fmt::format("saved {}; run it again to go on", saved_to_.string());
  }
  return "this step could not be saved; the last checkpoint is older";
}

}  // namespace maskgrad::detail
