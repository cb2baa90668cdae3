#include <maskgrad/layers/keras/lint.hpp>

#include <fmt/format.h>

#include <algorithm>

#include <maskgrad/layers/keras/lint_parts.hpp>

namespace maskgrad {
namespace detail {
namespace {

void add_name_once(std::vector<std::string>& names, const std::string& name) {
  if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}
void add_refusal(std::vector<LintRefusal>& refusals, const KerasStep& step, std::string why) {
  if (std::ranges::find(refusals, step.path, &LintRefusal::layer) != refusals.end()) return;
  refusals.push_back({step.path, step.layer->shown(), std::move(why)});
}

std::string why_mask_refused(const KerasStep& step, const KerasTraits& traits) {
  switch (traits.steps) {
    case KerasSteps::windows:
      return "a window mixes neighboring steps, so padding would leak";
    case KerasSteps::positions:
      return "steps would be merged with features or moved, so a mask could not follow";
    default:
      return step.layer->class_name == "Lambda"
                 ? "what its function does with a mask is not declared"
                 : "custom layer: what it does with a mask is not known";
  }
}

std::string why_part_of_mask(const KerasStep& step) {
  const auto& kind = step.layer->class_name;
  if (kind == "Any") return "any over the features";
  const bool compares = kind == "NotEqual" && step.arguments.size() > 1;
  if (!compares || !step.arguments[1].constant.is_number()) return "an explicit node of the graph";
  return fmt::format("input != {}, an explicit node of the graph",
                     json_text(step.arguments[1].constant));
}

}  // namespace

bool has_steps(const KerasRead& read, std::size_t input) {
  const auto& shape = *read.model.inputs[input].shape;
  return shape.size() > 2 || (shape.size() == 2 && read.ids[input]);
}

LintStory::LintStory(const KerasRead& read, const KerasOptions& options, Lint& lint)
    : read_(read), options_(options), lint_(lint), parts_(parts_of_masks()) {}

// Operations whose results go nowhere but into masks.
std::vector<bool> LintStory::parts_of_masks() const {
  const auto& steps = read_.flat.steps;
  std::vector<bool> mask(steps.size(), false), data(steps.size(), false);
  for (const auto& value : read_.flat.outputs) {
    if (value.call >= 0) data[static_cast<std::size_t>(value.call)] = true;
  }
  for (std::size_t i = steps.size(); i-- > 0;) {
    const bool part = mask[i] && !data[i];
    for (const auto& argument : steps[i].arguments) {
      const bool is_mask = part || argument.keyword.ends_with("mask");
      for (const auto& value : argument.values) {
        if (value.call >= 0) (is_mask ? mask : data)[static_cast<std::size_t>(value.call)] = true;
      }
    }
  }
  for (std::size_t i = 0; i < steps.size(); ++i) mask[i] = mask[i] && !data[i] && steps[i].layer;
  return mask;
}

LintValue LintStory::of(const KerasValue& value) const {
  if (value.call < 0 || value.call >= std::ssize(values_)) return {};
  LintValue found = values_[static_cast<std::size_t>(value.call)];
  if (value.result == 0) return found;
  const auto* layer = read_.flat.steps[static_cast<std::size_t>(value.call)].layer;
  return {.shape = layer ? keras_shape(*layer, {found.shape}, value.result) : KerasShape{}};
}

void LintStory::input(std::size_t i) {
  const auto& shape = *read_.model.inputs[i].shape;
  const bool steps = has_steps(read_, i);
  values_.push_back({.masked = steps,
                     .shape = {static_cast<int>(shape.size()), shape.size() > 1 ? shape[1] : any}});
}

void LintStory::tell(const KerasStep& step, const KerasTraits& traits, LintCall& call,
                     const std::vector<LintValue>& inputs, bool given) {
  const auto& layer = *step.layer;
  const bool sequences = is_attention(layer) || (is_recurrent(layer) && returns_sequences(layer));
  const bool first = !inputs.empty() && inputs[0].keras;
  const bool all = std::ranges::all_of(inputs, [](const auto& v) { return v.keras; });
  call.does = "none";
  switch (traits.role) {
    case KerasRole::makes:
      call.does = "makes";
      call.mask_out = true;
      return;
    case KerasRole::reads:
      if (!call.mask_in) break;
      call.mask_out = first && sequences;
      call.does = sequences ? "reads, passes" : "reads, ends";
      if (ignores_mask(step, read_.file.major())) {
        call.does = "ignores";
        call.why =
            "initial_state is a second tensor argument, so Keras 3 does not hand over the mask";
      }
      return;
    case KerasRole::passes:
      if (!call.mask_in) break;
      call.does = "passes";
      call.mask_out = first || given;
      return;
    case KerasRole::merges:
      if (!call.mask_in) break;
      call.does = all ? "passes" : "drops";
      call.mask_out = all;
      if (!all) call.why = "one of its inputs has no mask";
      return;
    case KerasRole::concatenates:
      if (!call.mask_in) break;
      call.does = "passes";
      call.mask_out = true;
      return;
    case KerasRole::unknown:
      if (call.mask_in) call.does = "unknown";
      break;
    default:
      if (call.mask_in) call.does = "drops";
      break;
  }
  if (call.does == "drops" && traits.silent) call.why = "without a warning";
}

void LintStory::follow(const KerasStep& step, const KerasTraits& traits, const LintCall& call,
                       const std::vector<LintValue>& inputs, bool given) {
  LintValue out{.keras = call.mask_out};
  std::vector<KerasShape> shapes;
  for (const auto& v : inputs) shapes.push_back(v.shape);
  out.shape = keras_shape(*step.layer, shapes, 0);
  const auto some = [&](bool LintValue::*mask) {
    return given || std::ranges::any_of(inputs, [&](const auto& v) { return v.*mask; });
  };
  // A recurrent layer's states, and an attention layer's keys, put no mask on the result.
  const bool leads = traits.role == KerasRole::reads;
  const auto led = [&](bool LintValue::*mask) {
    return given || (!inputs.empty() && inputs[0].*mask);
  };
  const auto through = [&](bool LintValue::*mask, std::vector<LintRefusal>& refusals) {
    if (traits.role == KerasRole::makes) return true;
    const bool in = some(mask);
    switch (traits.steps) {
      case KerasSteps::each:
      case KerasSteps::reads:
        return leads ? led(mask) : in;
      case KerasSteps::ends:
        return false;
      default:
        if (in) add_refusal(refusals, step, why_mask_refused(step, traits));
        return false;
    }
  };
  out.now = through(&LintValue::now, lint_.refuses_now);
  out.masked = through(&LintValue::masked, lint_.refuses_masked);
  values_.push_back(out);
}

void LintStory::step(std::size_t i) {
  const auto& step = read_.flat.steps[i];
  std::vector<LintValue> inputs;
  for (const auto& value : ordered_inputs(step)) inputs.push_back(of(value));
  const auto shape = inputs.empty() ? KerasShape{} : inputs[0].shape;
  const auto told = told_steps(*step.layer, options_);
  auto traits = keras_traits(*step.layer, shape.rank, shape.steps, told);
  const auto* mask = step.keyword("mask");
  const bool given = mask && !mask->values.empty();
  LintCall call{step.path, step.layer->shown()};
  call.mask_in = given || std::ranges::any_of(inputs, [](const auto& v) { return v.keras; });
  call.padded = std::ranges::any_of(inputs, [](const auto& v) { return v.masked; });
  tell(step, traits, call, inputs, given);
  if (call.does == "reads, passes" && step.layer->class_name != "Bidirectional" &&
      config_flag(step.layer->config, "go_backwards")) {
    call.why = "its results stand in reverse order, the mask that goes with them does not";
  }
  const bool part = parts_[i] && traits.role == KerasRole::compares;
  if (part) {
    call.does = "part of a mask";
    call.why = why_part_of_mask(step);
    call.mask_in = false;
  }
  const bool crosses = traits.steps != KerasSteps::each;
  if (call.does == "none" && crosses && !part) call.why = traits.reads_padding;
  if (call.does == "none" && step.layer->operation && call.why.empty()) {
    call.why = "an operation, not a layer";
  }
  if (call.does == "none" && step.layer->class_name == "Embedding") {
    call.why = "makes no mask: id 0 is a word like any other";
  }
  for (const auto& argument : step.arguments) {
    for (const auto& value : argument.values) {
      if (value.call < 0) continue;
      const auto at = static_cast<std::size_t>(value.call);
      const bool masked = argument.keyword.ends_with("mask") || of(value).keras;
      call.sources.emplace_back(call_of_[at], masked);
    }
  }
  const auto& name = step.path;
  if (call.does == "makes") add_name_once(lint_.mask_made_by, name);
  if (call.does.starts_with("reads")) add_name_once(lint_.mask_read_by, name);
  if (call.does == "reads, ends") add_name_once(lint_.mask_ends_in, name);
  if (call.does == "drops") add_name_once(lint_.mask_dropped_by, name);
  if (call.does == "ignores") add_name_once(lint_.mask_ignored_by, name);
  const bool unknown = traits.steps == KerasSteps::unknown;
  if (unknown && (call.mask_in || call.padded)) {
    lint_.custom = true;
    call.known = false;
    call.why = call.does == "drops" ? "the mask ends here, and what it does with steps is not known"
                                    : "what it does with steps is not known";
    if (traits.role == KerasRole::unknown) add_name_once(lint_.mask_unknown_in, name);
  }
  if (call.padded && !call.mask_in && crosses && !unknown && !part) {
    add_name_once(lint_.padding_read_as_data_by, name);
  }
  follow(step, traits, call, inputs, given);
  call_of_.push_back(lint_.calls.size());
  lint_.calls.push_back(std::move(call));
}

void LintStory::run() {
  const auto count = read_.model.inputs.size();
  // Inputs have the numbers behind those of the calls.
  const auto calls = read_.flat.steps.size() - count;
  for (std::size_t i = 0; i < count; ++i) call_of_.push_back(calls + i);
  for (std::size_t i = 0; i < read_.flat.steps.size(); ++i) {
    if (i < count) {
      input(i);
    } else {
      step(i);
    }
  }
  for (std::size_t i = 0; i < read_.flat.outputs.size(); ++i) {
    lint_.output_carries_mask.emplace_back(read_.model.output_names[i],
                                           of(read_.flat.outputs[i]).keras);
  }
}

}  // namespace detail

Lint lint(const std::filesystem::path& path, const KerasOptions& options) {
  detail::KerasRead read(path, "lint");
  if (!read.troubles.empty()) detail::refuse_keras(read.file.place(), read.troubles);
  Lint made;
  made.file = path.string();
  made.container = read.file.container();
  made.keras_version = read.file.version();
  made.notes = read.weights.notes();
  made.outputs = read.model.output_names;
  made.outputs.resize(read.flat.outputs.size());
  for (const auto& input : read.model.inputs) made.inputs.emplace_back(input.name, *input.shape);
  detail::LintStory(read, options, made).run();
  detail::prove(read, options, made);
  detail::conclude(read, made);
  return made;
}

int Lint::status() const {
  if (padding_reaches_result) return *padding_reaches_result ? 1 : 0;
  if (custom) return 3;
  const bool reads =
      !padding_read_as_data_by.empty() || !mask_dropped_by.empty() || !mask_ignored_by.empty();
  const bool nothing = padding_reaches_result_is.find("nothing is padded") != std::string::npos;
  return reads && !nothing ? 1 : 0;
}

}  // namespace maskgrad
