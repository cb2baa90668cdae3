#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include <maskgrad/layers/keras/lint_parts.hpp>

namespace maskgrad::detail {
namespace {

// `LSTM 'lstm'`.
std::string lint_title(const Lint& lint, const std::string& name) {
  const auto call = std::ranges::find(lint.calls, name, &LintCall::layer);
  return call == lint.calls.end() ? name : fmt::format("{} '{}'", call->class_name, name);
}
std::string lint_title(const Lint& lint, const std::vector<std::string>& names) {
  std::vector<std::string> all;
  for (const auto& name : names) all.push_back(lint_title(lint, name));
  return fmt::format("{}", fmt::join(all, ", "));
}

bool any_input_steps(const KerasRead& read) {
  for (std::size_t i = 0; i < read.model.inputs.size(); ++i) {
    if (has_steps(read, i)) return true;
  }
  return false;
}

// Where no input has steps, the layer that makes an axis of them, and the first that reads it.
std::string of_made_steps(const Lint& lint) {
  std::string maker;
  for (const auto& call : lint.calls) {
    const bool makes = call.class_name == "Reshape" || call.class_name == "RepeatVector" ||
                       call.class_name == "ExpandDims";
    if (makes && maker.empty()) maker = call.class_name;
    if (!maker.empty() && call.why.starts_with("reads padding")) {
      return fmt::format(
          "No mask is made, and the input has no axis of steps: {} makes one, which {} reads.",
          maker, lint_title(lint, call.layer));
    }
  }
  return "No mask is made, and no input has an axis of steps.";
}

void say_of_masks(const KerasRead& read, Lint& lint, std::vector<std::string>& says) {
  if (lint.mask_made_by.empty()) {
    if (!any_input_steps(read)) return says.push_back(of_made_steps(lint));
    const auto& readers = lint.padding_read_as_data_by;
    says.push_back(readers.empty() ? "No mask is made, and no layer reads across steps."
                                   : fmt::format("No mask is made: {} {} padding for data.",
                                                 lint_title(lint, readers),
                                                 readers.size() == 1 ? "takes" : "take"));
    if (!lint.refuses_masked.empty()) {
      says.push_back(fmt::format("With a mask at the input, {} refuses it.",
                                 lint_title(lint, lint.refuses_masked[0].layer)));
    }
    return;
  }
  std::string made = fmt::format("Mask made by {}", lint_title(lint, lint.mask_made_by));
  if (!lint.mask_read_by.empty())
    made += fmt::format(", read by {}", lint_title(lint, lint.mask_read_by));
  says.push_back(made + ".");
  for (const auto& name : lint.mask_ignored_by) {
    says.push_back(fmt::format("{} gets it and runs without it.", lint_title(lint, name)));
  }
  for (const auto& name : lint.mask_dropped_by)
    says.push_back(fmt::format("{} drops it.", lint_title(lint, name)));
  if (!lint.padding_read_as_data_by.empty()) {
    says.push_back(fmt::format("Without a mask, {} {} padding for data.",
                               lint_title(lint, lint.padding_read_as_data_by),
                               lint.padding_read_as_data_by.size() == 1 ? "takes" : "take"));
  }
}

void add_what_to_do(const KerasRead& read, Lint& lint) {
  const auto to_do = [&](std::string text) { lint.what_to_do.push_back(std::move(text)); };
  if (lint.mask_made_by.empty() && !lint.padding_read_as_data_by.empty()) {
    bool ids = false;
    for (std::size_t i = 0; i < read.ids.size(); ++i)
      ids = ids || (has_steps(read, i) && read.ids[i]);
    to_do(
        ids ? "Keras: Embedding(..., mask_zero=True), with id 0 for padding alone, and train again"
            : "Keras: keras.layers.Masking(mask_value) at the input, and train again");
    to_do("here: load_keras(file), and give the input a mask: model.predict({x.with_mask(steps)})");
  }
  for (const auto& refusal : lint.refuses_masked) {
    const auto name = lint_title(lint, refusal.layer);
    if (refusal.class_name == "Flatten" || refusal.class_name == "Reshape") {
      to_do(fmt::format("{}: pool over the steps instead (here GlobalAveragePooling1D or LastStep)",
                        name));
    } else if (refusal.why.starts_with("a window")) {
      to_do(fmt::format(
          "{}: Keras has no layer that reads the mask here; load_keras makes it one that does, "
          "each sequence as if alone",
          name));
    } else {
      to_do(fmt::format("{}: tell what it is: .custom = {{{{\"{}\", factory}}}}", name,
                        refusal.layer));
    }
  }
  for (const auto& name : lint.mask_ignored_by) {
    to_do(fmt::format("{}: Keras 3: pass mask=... by hand; load_keras respects it as it is",
                      lint_title(lint, name)));
  }
  for (const auto& name : lint.mask_dropped_by) {
    if (lint_title(lint, name).starts_with("GlobalMaxPooling1D")) {
      to_do(fmt::format(
          "{}: Keras: put very low values at padding before it; load_keras respects the mask",
          lint_title(lint, name)));
    }
  }
  for (const auto& [output, carries] : lint.output_carries_mask) {
    if (carries)
      to_do(fmt::format(
          "{}: the loss must read its mask (in Keras, model.compile does by itself; a loss "
          "called by hand does not)",
          output));
  }
}

}  // namespace

void conclude(const KerasRead& read, Lint& lint) {
  std::vector<std::string> says;
  say_of_masks(read, lint, says);
  for (const auto& name : lint.mask_unknown_in) {
    says.push_back(fmt::format("What {} does with it is not known.", lint_title(lint, name)));
  }
  std::vector<std::string> carrying;
  for (const auto& [output, carries] : lint.output_carries_mask) {
    if (carries) carrying.push_back(output);
  }
  if (!carrying.empty()) {
    says.push_back(fmt::format("The mask reaches the output ({}): the loss must read it.",
                               fmt::join(carrying, ", ")));
  }
  if (lint.padding_reaches_result == false && !lint.mask_made_by.empty())
    says.push_back("Padding reaches no result.");
  lint.says = fmt::format("{}", fmt::join(says, " "));
  add_what_to_do(read, lint);
}

}  // namespace maskgrad::detail
