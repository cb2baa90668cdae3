#include <maskgrad/layers/model/stream_state.hpp>

#include <fmt/format.h>

#include <algorithm>

#include <maskgrad/core/rows.hpp>
#include <maskgrad/layers/layer/stream_rows.hpp>

namespace maskgrad::detail {
namespace {

/// The options as JSON; nothing of a layer that does not list them.
std::string options_of(const LayerView& view) {
  if (!view.is_layer() || view.actions->answers_for_others) return {};
  try {
    extend::OptionWriter writer;
    view.write_options(writer);
    return writer.json();
  } catch (const OptionError&) {
    return {};
  }
}

/// Whether it is what each of `sequences` has, defined and with values.
bool is_of_sequences(const Tensor& x, std::int64_t sequences) {
  return x.defined() && !x.is_meta() && x.rank() > 0 && x.shape()[0] == sequences &&
         rows::mask_rank(x) <= 2;
}

bool are_of_sequences(const Tensors& xs, std::int64_t sequences) {
  return std::all_of(xs.begin(), xs.end(),
                     [&](const Tensor& x) { return is_of_sequences(x, sequences); });
}

/// What is wrong with the state's parts, as they are for so many sequences; empty: nothing.
std::string trouble_with(const StreamState& state, std::int64_t sequences) {
  const auto counted = [&](const auto& of) { return of.empty() || std::ssize(of) == sequences; };
  for (const auto steps : state.steps) {
    if (steps < 0) return fmt::format("{} steps of a sequence", steps);
  }
  for (const auto& [place, slot] : state.slots) {
    if (!are_of_sequences(slot.tensors, sequences) || !counted(slot.begins)) {
      return fmt::format("at '{}' what is not of these sequences", place);
    }
  }
  const auto& constants = state.constants;
  for (const auto& [place, made] : constants.of_context) {
    if (std::all_of(made.tensors.begin(), made.tensors.end(),
                    [](const Tensor& x) { return x.defined() && !x.is_meta(); }) &&
        counted(made.of)) {
      continue;
    }
    return fmt::format("at '{}' what was not made of a context", place);
  }
  const bool contexts =
      are_of_sequences(constants.context, sequences) &&
      std::ssize(constants.context_of) == (constants.context.empty() ? 0 : sequences);
  constexpr std::int64_t most = std::int64_t{1} << 40;
  const auto numbered = [&](std::int64_t of) { return of >= -1 && of < constants.contexts; };
  if (constants.contexts < 0 || constants.contexts > most ||
      !std::all_of(constants.context_of.begin(), constants.context_of.end(), numbered)) {
    return "contexts that were never given";
  }
  if (!contexts) return "a context that is not of these sequences";
  if (!are_of_sequences(state.inputs, sequences)) return "inputs that are not of these sequences";
  return {};
}

}  // namespace

std::vector<std::string> layer_lines(const StreamedModel& model) {
  std::vector<std::string> lines;
  model.visit([&](const LayerView& view) {
    std::string line = fmt::format("'{}': {} {}", view.path, view.kind, options_of(view));
    for (const auto& [path, p] : view.parameters) {
      if (p->defined()) line += fmt::format(", {} {}{}", path, name(p->dtype()), p->shape());
    }
    lines.push_back(std::move(line));
  });
  return lines;
}

std::string first_difference(const std::vector<std::string>& there,
                             const std::vector<std::string>& here) {
  if (there == here) return {};
  const auto line = [](const std::vector<std::string>& lines, std::size_t i) {
    return i < lines.size() ? lines[i] : std::string("no layer more");
  };
  std::size_t i = 0;
  while (i < there.size() && i < here.size() && there[i] == here[i]) ++i;
  return fmt::format("there stands\n  {}\nand here\n  {}", line(there, i), line(here, i));
}

void check_state(std::string_view where, const StreamState& state, const StreamState& now) {
  const auto sequences = std::ssize(now.steps);
  if (std::ssize(state.steps) != sequences) {
    fail<ShapeError>(where, "a state of {} sequences; the stream has {}", state.steps.size(),
                     sequences);
  }
  const auto trouble = trouble_with(state, sequences);
  if (!trouble.empty()) {
    fail<ShapeError>(where, "the state has {}; expected that of a stream of {} sequences", trouble,
                     sequences);
  }
  const auto &there = state.constants.context, &here = now.constants.context;
  bool same = there.size() == here.size();
  for (std::size_t i = 0; same && i < there.size(); ++i) same = are_alike({there[i], here[i]});
  if (!same) {
    fail<OptionError>(where,
                      "the state has a context of {} tensors{}, the stream one of {}{}; expected "
                      "the same kind of context",
                      there.size(), there.empty() ? "" : ", the first " + there[0].describe(),
                      here.size(), here.empty() ? "" : ", the first " + here[0].describe());
  }
  if (!state.model || state.model == now.model || !now.model) return;
  const auto difference = first_difference(layer_lines(*state.model), layer_lines(*now.model));
  if (difference.empty()) return;
  fail<OptionError>(where, "the state is of a stream of another model; {}", difference);
}

}  // namespace maskgrad::detail
