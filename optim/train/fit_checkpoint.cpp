#include <maskgrad/optim/train/fit_checkpoint.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include <maskgrad/layers/recurrent/carried_state.hpp>
#include <maskgrad/optim/train/fit_run.hpp>

// Whether a checkpoint is one that this training can go on from, before anything is changed.

namespace maskgrad::detail {
namespace {
constexpr std::string_view where = "fit";
}

bool refuses(const SettingsDifference& d, const TrainingState& saved) {
  const auto begins = [&d](std::string_view with) { return d.path.starts_with(with); };
  if (begins("/model")) return !begins("/model_seed");
  return saved.batch > 0 && (begins("/batches") || begins("/data"));
}

Parted parted(const NamedArrays& arrays) {
  Parted made;
  for (const auto& a : arrays) {
    if (a.name.starts_with("carried/")) {
      made.carried.emplace(a.name, &a.array);
    } else {
      made.values.push_back(a);
      made.has_best = made.has_best || a.name.starts_with("best/");
    }
  }
  return made;
}

PutNames names_for(const std::filesystem::path& from) {
  return {where, fmt::format("the checkpoint {}", from.string()), "training", true};
}

void FitRun::check(const CheckpointFolder::Found& found, const TrainingState& saved) {
  const auto refuse = [&](const std::string& text) {
    fail<FileError>(where, "the checkpoint {}: {}; it is damaged", found.path.string(), text);
  };
  if (saved.arrays >= 0 && std::cmp_not_equal(found.arrays.size(), saved.arrays)) {
    refuse(fmt::format("it has {} arrays; expected {}", found.arrays.size(), saved.arrays));
  }
  const auto changes = differences(saved.settings, state_.settings);
  for (const auto& d : changes) {
    if (refuses(d, saved)) return;  // which is said where it is compared
  }
  const bool other_metrics = std::any_of(
      changes.begin(), changes.end(), [](const auto& d) { return d.path.starts_with("/metrics"); });
  if (saved.batch > 0 && saved.batch > batches_.size(saved.epoch)) {
    refuse(fmt::format("batch {} of epoch {}, which has {}", saved.batch, saved.epoch + 1,
                       batches_.size(saved.epoch)));
  }
  try {
    if (!other_metrics) check_metrics(saved);
    Schedule trial = options_.schedule;
    const bool same = std::none_of(changes.begin(), changes.end(),
                                   [](const auto& d) { return d.path.starts_with("/schedule"); });
    if (trial && same) trial.rule()->set_state(saved.schedule);
  } catch (const Error& error) {
    refuse(error.what());
  }
  check_arrays(found, saved);
}

void FitRun::check_metrics(const TrainingState& saved) {
  if (saved.metrics.size() != options_.metrics.size()) {
    fail<OptionError>("metrics", "{} are counted; expected {}", saved.metrics.size(),
                      options_.metrics.size());
  }
  for (std::size_t i = 0; i < saved.metrics.size(); ++i) {
    options_.metrics[i].set_counted(saved.metrics[i]);
    options_.metrics[i].reset();
  }
}

void FitRun::check_arrays(const CheckpointFolder::Found& found, const TrainingState& saved) {
  const Parted arrays = parted(found.arrays);
  const bool had_best = !best_.empty();
  if (arrays.has_best && !had_best) keep_best();
  check_values(names_for(found.path), saved_values(), arrays.values);
  if (!had_best) best_.clear();
  const auto states = carried_from(found);
  const bool any = std::any_of(states.begin(), states.end(),
                               [](const auto& own) { return !own.second.empty(); });
  if (states.empty() || saved.batch == 0 || saved.batch >= batches_.size(saved.epoch)) return;
  Epoch epoch = batches_.epoch(saved.epoch, saved.batch);
  const Batch& next = *epoch.begin();
  const auto begins = static_cast<std::int64_t>(next.begins.size());
  for (const auto& [carried, own] : states) {
    const bool fits = own.empty() ? any || saved.arrays >= 0 || begins == next.size()
                                  : own[0].shape()[0] == next.size() || begins == next.size();
    if (fits) continue;
    fail<FileError>(where,
                    "the checkpoint {} goes on in the middle of sequences, in a batch of {}, and "
                    "has the carried states of {}; it is damaged",
                    found.path.string(), next.size(), own.empty() ? 0 : own[0].shape()[0]);
  }
}

std::vector<std::pair<CarriedState*, Tensors>> FitRun::carried_from(
    const CheckpointFolder::Found& found) const {
  auto left = parted(found.arrays).carried;
  std::vector<std::pair<CarriedState*, Tensors>> all;
  model_.visit([&](const LayerView& view) {
    if (!view.carried) return;
    Tensors states;
    for (;;) {
      const auto at = left.find(fmt::format("carried/{}/{}", view.path, states.size()));
      if (at == left.end()) break;
      states.push_back(tensor_of(*at->second));
      left.erase(at);
    }
    const auto dtype = parameters_.empty() ? DType::f32 : parameters_[0].parameter.dtype();
    const auto trouble = view.carried->trouble_with(states, dtype);
    if (!trouble.empty()) {
      fail<FileError>(where, "the checkpoint {} does not fit the state that '{}' carries: {}",
                      found.path.string(), view.path, trouble);
    }
    all.emplace_back(view.carried, std::move(states));
  });
  if (!left.empty()) {
    fail<FileError>(where, "the checkpoint {} has '{}', a state that no layer carries",
                    found.path.string(), left.begin()->first);
  }
  return all;
}

}  // namespace maskgrad::detail
