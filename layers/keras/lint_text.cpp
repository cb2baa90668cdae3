#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include <maskgrad/core/quoted.hpp>
#include <maskgrad/layers/keras/lint.hpp>
#include <maskgrad/layers/keras/lint_view.hpp>

namespace maskgrad {
namespace detail {

std::string lint_moved(const std::optional<double>& by) {
  if (!by) return "-";
  if (std::isinf(*by)) return "NaN";
  return *by == 0 ? "0" : fmt::format("{:.2g}", *by);
}

LintMark lint_mark(const Lint& lint, const LintCall& call) {
  const auto in = [&](const std::vector<std::string>& names) {
    return std::ranges::find(names, call.layer) != names.end();
  };
  if (!call.known) return LintMark::unknown;
  if (call.does == "drops" || call.does == "ignores" || in(lint.padding_read_as_data_by))
    return LintMark::bad;
  if (call.does == "makes" || call.does == "part of a mask") return LintMark::makes;
  if (call.does.starts_with("reads")) return LintMark::reads;
  return call.mask_in ? LintMark::passes : LintMark::none;
}

std::string lint_shape(const std::vector<std::int64_t>& shape) {
  std::vector<std::string> sizes;
  for (const auto size : shape) sizes.push_back(size == any ? "any" : std::to_string(size));
  return fmt::format("[{}]", fmt::join(sizes, ", "));
}

std::string lint_verdict(const Lint& lint) {
  switch (lint.status()) {
    case 0:
      return "Padding reaches no result.";
    case 1:
      return "Padding reaches a result.";
    default:
      return "A custom layer makes it impossible to say whether padding reaches a result.";
  }
}

Lint lint_printable(const Lint& lint) {
  Lint shown = lint;
  const auto name = [](std::string& text) { text = printable(text, 200); };
  const auto sentence = [](std::string& text) { text = printable(text, 4000); };
  for (auto* text : {&shown.file, &shown.container, &shown.keras_version}) name(*text);
  for (auto* names : {&shown.outputs, &shown.mask_made_by, &shown.mask_read_by, &shown.mask_ends_in,
                      &shown.mask_dropped_by, &shown.mask_ignored_by,
                      &shown.padding_read_as_data_by, &shown.mask_unknown_in}) {
    std::ranges::for_each(*names, name);
  }
  for (auto& [input, shape] : shown.inputs) name(input);
  for (auto& call : shown.calls) {
    name(call.layer);
    name(call.class_name);
    sentence(call.why);
  }
  for (auto& proof : shown.proof) name(proof.output);
  std::ranges::for_each(shown.notes, sentence);
  std::ranges::for_each(shown.what_to_do, sentence);
  sentence(shown.says);
  sentence(shown.padding_reaches_result_is);
  return shown;
}

// Characters, not bytes.
std::size_t lint_width(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace detail

namespace {

using detail::lint_width;

std::string lint_padded(const std::string& text, std::size_t width) {
  const auto own = lint_width(text);
  return text + std::string(own < width ? width - own : 0, ' ');
}

// Columns as wide as what stands in them.
std::string lint_columns(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t c = 0; c < row.size(); ++c)
      widths[c] = std::max(widths[c], lint_width(row[c]));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line = "  ";
    for (std::size_t c = 0; c < row.size(); ++c) line += lint_padded(row[c], widths[c]) + "  ";
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

std::string lint_note(const Lint& lint, const LintCall& call) {
  if (!call.known) return "? " + call.why;
  const bool reads = std::ranges::find(lint.padding_read_as_data_by, call.layer) !=
                     lint.padding_read_as_data_by.end();
  if (reads) return "! " + (call.why.empty() ? std::string("reads padding as data") : call.why);
  if (call.does == "drops")
    return "! the mask ends here, padding goes on" + (call.why.empty() ? "" : ": " + call.why);
  if (call.does == "ignores") return "! " + call.why;
  // Where nothing is padded there is nothing to read.
  return call.padded || call.does == "part of a mask" || call.class_name == "Embedding" ? call.why
                                                                                        : "";
}

std::string lint_table(const Lint& lint) {
  std::string text =
      fmt::format("{}: {}, Keras {}\n", lint.file, lint.container,
                  lint.keras_version.empty() ? "of unknown version" : lint.keras_version);
  for (const auto& [name, shape] : lint.inputs)
    text += fmt::format("  input {} {}\n", name, detail::lint_shape(shape));
  std::vector<std::vector<std::string>> rows{{"layer", "class", "mask in", "does", "out", ""}};
  for (const auto& call : lint.calls) {
    rows.push_back({call.layer, call.class_name, call.mask_in ? "yes" : "-",
                    call.does == "none" ? "-" : call.does, call.mask_out ? "mask" : "-",
                    lint_note(lint, call)});
  }
  text += "\n" + lint_columns(rows) + "\n" + lint.says + "\n";
  if (!lint.proof.empty()) {
    text += "\nHow far outputs move when nothing but padding does:\n";
    std::vector<std::vector<std::string>> moved{
        {"output", "alone or in a batch", "padding 1e30", "padding NaN"}};
    for (const auto& p : lint.proof) {
      moved.push_back({p.output, detail::lint_moved(p.alone), detail::lint_moved(p.large),
                       detail::lint_moved(p.nan)});
    }
    text += lint_columns(moved);
  }
  text += fmt::format(
      "\n{}{}\n", detail::lint_verdict(lint),
      lint.padding_reaches_result_is.empty() ? "" : " (" + lint.padding_reaches_result_is + ")");
  if (!lint.what_to_do.empty()) text += "\nWhat to do:\n";
  for (const auto& one : lint.what_to_do) text += "  - " + one + "\n";
  if (!lint.notes.empty()) text += "\nOf the file:\n";
  for (const auto& one : lint.notes) text += "  - " + one + "\n";
  return text;
}

}  // namespace

std::string Lint::table() const {
  return lint_table(detail::lint_printable(*this));
}

}  // namespace maskgrad
