#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

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

}  // namespace

std::string Lint::table() const {
  std::string text = fmt::format("{}: {}, Keras {}\n", file, container,
                                 keras_version.empty() ? "of unknown version" : keras_version);
  for (const auto& [name, shape] : inputs)
    text += fmt::format("  input {} {}\n", name, detail::lint_shape(shape));
  std::vector<std::vector<std::string>> rows{{"layer", "class", "mask in", "does", "out", ""}};
  for (const auto& call : calls) {
    rows.push_back({call.layer, call.class_name, call.mask_in ? "yes" : "-",
                    call.does == "none" ? "-" : call.does, call.mask_out ? "mask" : "-",
                    lint_note(*this, call)});
  }
  text += "\n" + lint_columns(rows) + "\n" + says + "\n";
  if (!proof.empty()) {
    text += "\nHow far outputs move when nothing but padding does:\n";
    std::vector<std::vector<std::string>> moved{
        {"output", "alone or in a batch", "padding 1e30", "padding NaN"}};
    for (const auto& p : proof) {
      moved.push_back({p.output, detail::lint_moved(p.alone), detail::lint_moved(p.large),
                       detail::lint_moved(p.nan)});
    }
    text += lint_columns(moved);
  }
  text +=
      fmt::format("\n{}{}\n", detail::lint_verdict(*this),
                  padding_reaches_result_is.empty() ? "" : " (" + padding_reaches_result_is + ")");
  if (!what_to_do.empty()) text += "\nWhat to do:\n";
  for (const auto& one : what_to_do) text += "  - " + one + "\n";
  if (!notes.empty()) text += "\nOf the file:\n";
  for (const auto& one : notes) text += "  - " + one + "\n";
  return text;
}

}  // namespace maskgrad
