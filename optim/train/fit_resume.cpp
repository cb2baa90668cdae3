#include <fmt/format.h>

#include <algorithm>

#include <maskgrad/autograd/distinct.hpp>
#include <maskgrad/core/io/json.hpp>
#include <maskgrad/layers/recurrent/carried_state.hpp>
#include <maskgrad/optim/factory.hpp>
#include <maskgrad/optim/train/fit_checkpoint.hpp>
#include <maskgrad/optim/train/fit_run.hpp>
#include <maskgrad/optim/train/versions.hpp>

// How a run begins, and how it goes on from a checkpoint.

namespace maskgrad::detail {
namespace {

constexpr std::string_view where = "fit";

/// A description of our own making, however large.
nlohmann::json json_of(const std::string& text) {
  return nlohmann::json::parse(text, nullptr, false);
}
template <class Options>
nlohmann::json json_of_options(const Options& options) {
  OptionWriter writer;
  Options::each_option(options, writer);
  return json_of(writer.json());
}

/// Puts those of the optimizer that are not the model's, as a rule the loss's, behind the model's,
/// under names of their own.
void add_parameters_of(const Optimizer& optimizer, std::vector<NamedParameter>& all) {
  FirstTime first;
  std::vector<std::string> names;
  for (const auto& named : all) {
    first(named.parameter);
    names.push_back(named.name);
  }
  for (const auto& p : optimizer.parameters()) {
    if (!first(p)) continue;
    all.push_back({p.name(), p});
    names.push_back(p.name());
  }
  names = numbered(std::move(names));
  for (std::size_t i = 0; i < all.size(); ++i) all[i].name = names[i];
}

}  // namespace

std::string FitRun::settings() const {
  const std::string model = model_.description();
  nlohmann::json all{
      {"optimizer", json_of(describe(optimizer_))},
      {"schedule", json_of(describe(options_.schedule))},
      {"loss", options_.loss.name()},
      {"batches", json_of_options(batches_.options())},
      {"data", {{"sequences", batches_.data().size()}, {"steps", batches_.data().steps()}}},
      {"epochs", options_.epochs},
      {"micro_batches", options_.micro_batches},
      {"batch_invariant", options_.batch_invariant},
      {"clip_norm", options_.clip_norm},
      {"clip_value", options_.clip_value},
      {"weight_noise", options_.weight_noise},
      {"seed", options_.seed},
      {"versions", json_of(versions())}};
  all["model"] = model.empty() ? nlohmann::json() : json_of(model);
  if (model_.seed()) all["model_seed"] = model_.seed()->value;
  if (options_.average) all["average"] = json_of_options(*options_.average);
  if (options_.early_stopping) all["early_stopping"] = json_of_options(*options_.early_stopping);
  all["metrics"] = nlohmann::json::array();
  for (const auto& metric : options_.metrics) all["metrics"].push_back(metric.name());
  return json_text(all);
}

void FitRun::begin() {
  add_parameters_of(optimizer_, parameters_);
  state_.base_rate = optimizer_.learning_rate();
  begun_ = true;
  history_.settings = state_.settings = settings();
  for (auto& metric : options_.metrics) metric.reset();
  if (folder_) resume();
  if (state_.epoch == 0 && state_.batch == 0) model_.reset_states();
  history_.first_epoch = state_.epoch;
  if (batches_.data().size() == 0) {
    note("fit: the data have no sequences, so there is nothing to train on", true);
  }
  begin_metrics();
  begin_report();
}

void FitRun::resume() {
  if (!options_.checkpoints.resume) return folder_->refuse_used();
  TrainingState saved;
  std::vector<std::string> passed_over;
  const auto found = folder_->newest(
      [&](const CheckpointFolder::Found& f) {
        saved = training_state_from(f.path.string(), f.state);
        check(f, saved);
      },
      passed_over);
  for (auto& text : passed_over) note(std::move(text), true);
  if (!found) return;
  compare(found->path, saved);
  take(*found, std::move(saved));
  const bool done = state_.epoch >= options_.epochs || state_.stopped_early;
  note(fmt::format("resumed from {}: {}", found->path.string(),
                   done ? std::string("the training was done")
                        : fmt::format("epoch {}, batch {}", state_.epoch + 1, state_.batch)));
}

void FitRun::compare(const std::filesystem::path& from, TrainingState& saved) {
  std::string refused;
  std::size_t said = 0;
  constexpr std::size_t most = 20;
  for (const auto& d : differences(saved.settings, state_.settings)) {
    const auto begins = [&d](std::string_view with) { return d.path.starts_with(with); };
    if (begins("/epochs")) continue;  // a longer training is what going on is for
    if (refuses(d, saved)) {
      if (++said <= most) refused += fmt::format("\n  {}: {}", d.path, d.change);
    } else if (d.path != "/batches/prefetch" && d.path != "/versions" &&
               d.path != "/versions/threads") {
      if (begins("/metrics")) saved.metrics.clear();
      // The batches alone are kept: the epoch's mean is that of one loss.
      if (begins("/loss")) saved.loss.resize(std::min<std::size_t>(saved.loss.size(), 1));
      if (++said > most) continue;
      note(fmt::format("goes on with other settings: {} was {}", d.path, d.change), true);
    }
  }
  const auto more = said > most ? fmt::format("\n  and {} more", said - most) : std::string();
  if (refused.empty()) {
    if (said > most) note(fmt::format("goes on with {} other settings more", said - most), true);
    return;
  }
  fail<FileError>(where,
                  "{} is of another model, or in the middle of an epoch of other batches; nothing "
                  "was changed. Give another folder, or the same settings{}{}",
                  from.string(), refused, more);
}

void FitRun::take(const CheckpointFolder::Found& found, TrainingState saved) {
  Parted arrays = parted(found.arrays);
  auto carried = carried_from(found);
  auto& values = arrays.values;
  if (arrays.has_best && options_.early_stopping && options_.early_stopping->restore_best) {
    keep_best();
  }
  if (arrays.has_best && best_.empty()) {
    std::erase_if(values, [](const auto& a) { return a.name.starts_with("best/"); });
  }
  put_values(names_for(found.path), saved_values(), values);
  for (auto& [state, own] : carried) state->set(std::move(own));
  const double base_rate = state_.base_rate;
  std::string settings = std::move(state_.settings);
  state_ = std::move(saved);
  state_.settings = std::move(settings);
  if (state_.base_rate == base_rate) optimizer_.set_learning_rate(state_.rate);
  state_.base_rate = base_rate;
  try {
    if (options_.schedule) options_.schedule.rule()->set_state(state_.schedule);
  } catch (const OptionError& error) {  // of another schedule, which was said
    note(fmt::format("the schedule begins anew: {}", error.what()), true);
  }
  if (watch_) watch_->set_best(state_.best);
  loss_total_.set_counted(state_.loss);
  for (std::size_t i = 0; i < std::min(options_.metrics.size(), state_.metrics.size()); ++i) {
    options_.metrics[i].set_counted(state_.metrics[i]);
  }
  saved_at_ = {state_.epoch, state_.batch};
  saved_to_ = found.path;
}

}  // namespace maskgrad::detail
