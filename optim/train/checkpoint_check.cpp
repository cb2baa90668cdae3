#include <maskgrad/optim/train/checkpointer.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include <maskgrad/layers/recurrent/carried_state.hpp>

// Whether a checkpoint is one that this training can go on from, before anything is changed.

namespace maskgrad::detail {
namespace {
constexpr std::string_view in_fit_checkpoint = "fit";
}

bool refuses(const SettingsDifference& d, const TrainingState& saved) {
  const auto begins = [&d](std::string_view with) { return d.path.starts_with(with); };
  if (begins("/model")) return !begins("/model_seed");
  return saved.run.batch > 0 && (begins("/batches") || begins("/data"));
}

CheckpointArrays::CheckpointArrays(const NamedArrays& arrays) {
  for (const auto& a : arrays) {
    if (a.name.starts_with("carried/")) {
      carried.emplace(a.name, &a.array);
    } else {
      values.push_back(a);
      has_best = has_best || a.name.starts_with("best/");
    }
  }
}

PutNames names_for(const std::filesystem::path& from) {
  return {in_fit_checkpoint, fmt::format("the checkpoint {}", from.string()), "training", true};
}

void Checkpointer::check(const Found& found, const TrainingState& saved) {
  const auto refuse = [&](const std::string& text) {
    fail<FileError>(in_fit_checkpoint, "the checkpoint {}: {}; it is damaged", found.path.string(),
                    text);
  };
  if (saved.arrays >= 0 && std::cmp_not_equal(found.arrays.size(), saved.arrays)) {
    refuse(fmt::format("it has {} arrays; expected {}", found.arrays.size(), saved.arrays));
  }
  const auto changes = differences(saved.settings, parts_.setup.settings);
  for (const auto& d : changes) {
    if (refuses(d, saved)) return;  // which is said where it is compared
  }
  const bool other_metrics = std::any_of(
      changes.begin(), changes.end(), [](const auto& d) { return d.path.starts_with("/metrics"); });
  const std::int64_t epoch = saved.run.epoch, batch = saved.run.batch;
  const auto batches = batch > 0 ? parts_.setup.batches.size(epoch) : 0;
  if (batch > batches) {
    refuse(fmt::format("batch {} of epoch {}, which has {}", batch, epoch + 1, batches));
  }
  try {
    if (!other_metrics) check_metrics(saved);
    Schedule trial = parts_.setup.options.schedule;
    const bool same = std::none_of(changes.begin(), changes.end(),
                                   [](const auto& d) { return d.path.starts_with("/schedule"); });
    if (trial && same) trial.rule()->set_state(saved.rate.schedule);
  } catch (const Error& error) {
    refuse(error.what());
  }
  check_arrays(found, saved);
}

void Checkpointer::check_metrics(const TrainingState& saved) {
  auto& metrics = parts_.setup.options.metrics;
  const auto& counted = saved.run.metrics;
  if (counted.size() != metrics.size()) {
    fail<OptionError>("metrics", "{} are counted; expected {}", counted.size(), metrics.size());
  }
  for (std::size_t i = 0; i < counted.size(); ++i) {
    metrics[i].set_counted(counted[i]);
    metrics[i].reset();
  }
}

void Checkpointer::check_arrays(const Found& found, const TrainingState& saved) {
  const CheckpointArrays arrays(found.arrays);
  const RunState& run = saved.run;
  const Batches& batches = parts_.setup.batches;
  EarlyStopping& early = parts_.early_stopping;
  const bool had_best = early.has_weights();
  if (arrays.has_best && !had_best) early.keep_weights();
  check_values(names_for(found.path), saved_values(), arrays.values);
  if (!had_best) early.forget_weights();
  const auto states = carried_from(found);
  const bool any = std::any_of(states.begin(), states.end(),
                               [](const auto& own) { return !own.second.empty(); });
  if (states.empty() || run.batch == 0 || run.batch >= batches.size(run.epoch)) return;
  Epoch epoch = batches.epoch(run.epoch, run.batch);
  const Batch& next = *epoch.begin();
  const auto begins = static_cast<std::int64_t>(next.begins.size());
  for (const auto& [carried, own] : states) {
    const bool fits = own.empty() ? any || saved.arrays >= 0 || begins == next.size()
                                  : own[0].shape()[0] == next.size() || begins == next.size();
    if (fits) continue;
    fail<FileError>(in_fit_checkpoint,
                    "the checkpoint {} goes on in the middle of sequences, in a batch of {}, and "
                    "has the carried states of {}; it is damaged",
                    found.path.string(), next.size(), own.empty() ? 0 : own[0].shape()[0]);
  }
}

std::vector<std::pair<CarriedState*, Tensors>> Checkpointer::carried_from(
    const Found& found) const {
  auto left = CheckpointArrays(found.arrays).carried;
  std::vector<std::pair<CarriedState*, Tensors>> all;
  parts_.setup.model.visit([&](const LayerView& view) {
    if (!view.carried) return;
    Tensors states;
    for (;;) {
      const auto at = left.find(fmt::format("carried/{}/{}", view.path, states.size()));
      if (at == left.end()) break;
      states.push_back(tensor_of(*at->second));
      left.erase(at);
    }
    const auto& parameters = parts_.setup.parameters;
    const auto dtype = parameters.empty() ? DType::f32 : parameters[0].parameter.dtype();
    const auto trouble = view.carried->trouble_with(states, dtype);
    if (!trouble.empty()) {
      fail<FileError>(in_fit_checkpoint,
                      "the checkpoint {} does not fit the state that '{}' carries: {}",
                      found.path.string(), view.path, trouble);
    }
    all.emplace_back(view.carried, std::move(states));
  });
  if (!left.empty()) {
    fail<FileError>(in_fit_checkpoint, "the checkpoint {} has '{}', a state that no layer carries",
                    found.path.string(), left.begin()->first);
  }
  return all;
}

}  // namespace maskgrad::detail
