#include <fmt/format.h>

#include <algorithm>

#include <maskgrad/layers/recurrent/carried_state.hpp>
#include <maskgrad/optim/train/checkpointer.hpp>

// How a run goes on from a checkpoint.

namespace maskgrad::detail {
namespace {
constexpr std::string_view in_checkpoint_resume = "fit";
}

void Checkpointer::resume() {
  if (!folder_) return;
  if (!parts_.setup.options.checkpoints.resume) {
    if (ranks().rank() == 0) folder_->refuse_used();
    return;
  }
  TrainingState saved;
  std::vector<std::string> passed_over;
  const auto accept = [&](const Found& f) {
    saved = training_state_from(f.path.string(), f.state);
    check(f, saved);
  };
  std::optional<Found> found;
  if (ranks().rank() == 0) found = folder_->newest(accept, passed_over);
  share(found);
  if (found && ranks().rank() > 0) accept(*found);
  for (auto& text : passed_over) parts_.reporter.note(std::move(text), true);
  if (!found) return;
  compare(*found, saved);
  restore(*found, std::move(saved));
  const RunState& run = parts_.history.state();
  const bool done = run.epoch >= parts_.setup.options.epochs || parts_.early_stopping.stopped();
  parts_.reporter.note(
      fmt::format("resumed from {}: {}", found->path.string(),
                  done ? std::string("the training was done")
                       : fmt::format("epoch {}, batch {}", run.epoch + 1, run.batch)));
}

void Checkpointer::share(std::optional<Found>& found) const {
  if (ranks().size() == 1) return;
  std::string text;
  if (ranks().rank() == 0 && found) {
    const auto bytes =
        safetensors_bytes(found->arrays, {{"path", found->path.string()}, {"state", found->state}});
    text.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  ranks().broadcast(text);
  if (ranks().rank() == 0 || text.empty()) return;
  auto sent = parse_safetensors(std::as_bytes(std::span(text)), "the checkpoint of rank 0");
  found = Found{sent.metadata.at("path"), std::move(sent.arrays), sent.metadata.at("state")};
}

void Checkpointer::compare(const Found& found, TrainingState& saved) {
  std::string refused;
  std::size_t said = 0;
  constexpr std::size_t most = 20;
  for (const auto& d : differences(saved.settings, parts_.setup.settings)) {
    const auto begins = [&d](std::string_view with) { return d.path.starts_with(with); };
    if (begins("/epochs")) continue;  // a longer training is what going on is for
    if (refuses(d, saved)) {
      if (++said <= most) refused += fmt::format("\n  {}: {}", d.path, d.change);
    } else if (d.path != "/batches/prefetch" && d.path != "/versions" &&
               d.path != "/versions/threads") {
      if (begins("/metrics")) saved.run.metrics.clear();
      // The batches alone are kept: the epoch's mean is that of one loss.
      if (begins("/loss")) saved.run.loss.resize(std::min<std::size_t>(saved.run.loss.size(), 1));
      if (++said > most) continue;
      parts_.reporter.note(fmt::format("goes on with other settings: {} was {}", d.path, d.change),
                           true);
    }
  }
  const auto more = said > most ? fmt::format("\n  and {} more", said - most) : std::string();
  if (refused.empty()) {
    if (said > most) {
      parts_.reporter.note(fmt::format("goes on with {} other settings more", said - most), true);
    }
    return;
  }
  fail<FileError>(in_checkpoint_resume,
                  "{} is of another model, or in the middle of an epoch of other batches; nothing "
                  "was changed. Give another folder, or the same settings{}{}",
                  found.path.string(), refused, more);
}

void Checkpointer::restore(const Found& found, TrainingState saved) {
  CheckpointArrays arrays(found.arrays);
  auto carried = carried_from(found);
  EarlyStopping& early = parts_.early_stopping;
  if (arrays.has_best && early.keeps_weights()) early.keep_weights();
  if (arrays.has_best && !early.has_weights()) {
    std::erase_if(arrays.values, [](const auto& a) { return a.name.starts_with("best/"); });
  }
  put_values(names_for(found.path), saved_values(), arrays.values);
  for (auto& [state, own] : carried) state->set(std::move(own));
  parts_.history.set_state(std::move(saved.run));
  early.set_state(saved.early_stopping);
  parts_.checks.set_reductions(std::move(saved.reductions));
  const std::string trouble = parts_.rate.set_state(saved.rate);
  if (!trouble.empty()) {  // of another schedule, which was said
    parts_.reporter.note(fmt::format("the schedule begins anew: {}", trouble), true);
  }
  saved_at_ = place();
  saved_to_ = found.path;
}

}  // namespace maskgrad::detail
