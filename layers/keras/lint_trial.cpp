#include <maskgrad/layers/keras/lint_trial.hpp>

#include <cmath>

#include <maskgrad/autograd/ops.hpp>
#include <maskgrad/core/rows.hpp>

namespace maskgrad::detail {
namespace {

constexpr std::int64_t most_trial_steps = 160, usual_steps = 12;

using TrialSpans = std::vector<std::pair<std::int64_t, std::int64_t>>;

// x with `padding` at all steps that are not there.
Tensor padded_trial(const Tensor& x, const TrialSpans& spans, double padding) {
  const auto all = rows::of<double>(x);
  std::vector<double> values(all.begin(), all.end());
  if (values.empty()) return x;  // an input without features, or without steps
  const auto time = x.shape()[1];
  const auto inner = static_cast<std::int64_t>(values.size()) / (trial_sequences * time);
  for (std::int64_t i = 0; i < std::ssize(values); ++i) {
    const auto [from, to] = spans[static_cast<std::size_t>(i / (time * inner))];
    const auto t = i / inner % time;
    if (t < from || t >= to) values[static_cast<std::size_t>(i)] = padding;
  }
  return tensor(values, x.shape());
}

}  // namespace

std::vector<std::pair<std::int64_t, std::int64_t>> trial_spans(std::int64_t time) {
  const auto part = [time](double of) {
    return std::max<std::int64_t>(
        1, static_cast<std::int64_t>(std::ceil(static_cast<double>(time) * of)) - (of < 1 ? 1 : 0));
  };
  return {{0, time}, {0, part(0.75)}, {time - part(0.65), time}, {0, part(0.35)}};
}

LintTrials::LintTrials(const KerasRead& read, const Functional& built) : read_(read) {
  const auto specs = built.built_for().specs("lint");
  for (std::size_t i = 0; i < specs.size(); ++i) {
    if (has_steps(read_, i) && specs[i].shape()[1] != any) free_ = false;
  }
}

// Steps of an input as the file has them; none where it has none, mg::any where they are free.
std::optional<std::int64_t> LintTrials::told_time(std::size_t input) const {
  if (!has_steps(read_, input)) return {};
  return (*read_.model.inputs[input].shape)[1];
}

bool LintTrials::one_step() const {
  bool some = false;
  for (std::size_t i = 0; i < read_.model.inputs.size(); ++i) {
    const auto time = told_time(i);
    if (time && *time != 1) return false;
    some = some || time;
  }
  return some;
}

std::vector<std::int64_t> LintTrials::times() const {
  std::int64_t longest = 0;
  for (std::size_t i = 0; i < read_.model.inputs.size(); ++i) {
    const auto time = told_time(i);
    if (time == any) return {usual_steps, 64, 256, 1024};
    longest = std::max(longest, time.value_or(0));
  }
  if (longest == 0) return {usual_steps};
  if (free_ && longest > most_trial_steps) return {most_trial_steps, longest};
  return {longest};
}

// 0 where the input has no steps.
std::int64_t LintTrials::time_of(std::size_t input, std::int64_t time) const {
  const auto told = told_time(input);
  if (!told) return 0;
  if (*told == any) return time;
  return free_ ? std::min(*told, time) : *told;
}

// What a step of padding holds: the value that Masking looks for, else zero; of ids 0.
double LintTrials::padding_of(std::size_t input, bool& read_by_mask) const {
  read_by_mask = false;
  for (const auto& step : read_.flat.steps) {
    const auto inputs = step.inputs();
    if (!step.layer || inputs.empty() || inputs[0].call != static_cast<int>(input)) continue;
    if (keras_traits(*step.layer, 3, any).role != KerasRole::makes) continue;
    read_by_mask = true;
    const Json* value = config_at(step.layer->config, "mask_value");
    if (value && value->is_number()) return value->get<double>();
  }
  return 0;
}

std::int64_t LintTrials::most_id(std::size_t input) const {
  std::int64_t most = 1'000'000;
  for (const auto& step : read_.flat.steps) {
    if (!step.layer || step.layer->class_name != "Embedding" || step.inputs().empty()) continue;
    auto from = step.inputs()[0];
    for (int i = 0; i < 20 && from.call >= std::ssize(read_.model.inputs); ++i) {
      const auto more = read_.flat.steps[static_cast<std::size_t>(from.call)].inputs();
      if (more.empty()) break;
      from = more[0];
    }
    if (from.call == static_cast<int>(input))
      most = std::min(most, config_whole(step.layer->config, "input_dim").value_or(2));
  }
  return std::max<std::int64_t>(2, most);
}

LintTrial LintTrials::draw(std::int64_t time, double fill) const {
  LintTrial trial;
  trial.alone.resize(trial_sequences);
  for (std::size_t i = 0; i < read_.model.inputs.size(); ++i) {
    auto sizes = *read_.model.inputs[i].shape;
    const bool steps = has_steps(read_, i);
    const auto own_time = trial.times.emplace_back(time_of(i, time));
    sizes[0] = trial_sequences;
    for (std::size_t axis = 1; axis < sizes.size(); ++axis) {
      if (sizes[axis] == any) sizes[axis] = 4;
      if (axis == 1 && steps) sizes[axis] = own_time;
    }
    const Shape shape{std::span<const std::int64_t>(sizes)};
    Tensor x = random_normal(shape, Seed{100 + i}, DType::f64);
    if (read_.ids[i]) {
      const auto most = static_cast<double>(most_id(i));
      x = clip(floor(abs(x) * (most / 3)) + 1.0, 1, most - 1);
    }
    const auto spans = trial_spans(own_time);
    if (steps) {
      bool marked = false;
      double padding = padding_of(i, marked);
      if (!marked && fill != 0) padding = read_.ids[i] ? 1 : fill;
      x = padded_trial(x, spans, padding);
    }
    if (read_.ids[i]) x = cast(x, DType::i64);
    trial.padded.push_back(x);
    for (std::int64_t s = 0; s < trial_sequences; ++s) {
      const auto [from, to] = spans[static_cast<std::size_t>(s)];
      const Tensor one = slice(x, 0, s, s + 1);
      trial.alone[static_cast<std::size_t>(s)].push_back(steps ? slice(one, 1, from, to) : one);
    }
  }
  return trial;
}

}  // namespace maskgrad::detail
