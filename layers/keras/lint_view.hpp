#pragma once

#include <maskgrad/layers/keras/lint.hpp>

/// What the ways to show a lint have in common.
namespace maskgrad::detail {

enum class LintMark : std::uint8_t { none, makes, reads, passes, bad, unknown };
LintMark lint_mark(const Lint& lint, const LintCall& call);

/// `0`, `0.12`, `NaN`, or `-` where it was not run.
std::string lint_moved(const std::optional<double>& by);
std::string lint_shape(const std::vector<std::int64_t>& shape);
std::string lint_verdict(const Lint& lint);
/// The same with names as they may stand on a terminal and in a page: a file may hold any
/// characters, and names of any length.
Lint lint_printable(const Lint& lint);
/// Characters of UTF-8.
std::size_t lint_width(std::string_view text);

/// Colors of fill and line, by the mark.
struct LintColor {
  std::string_view fill, line;
};
constexpr LintColor lint_color(LintMark mark) {
  constexpr LintColor colors[] = {{"#ffffff", "#9aa3ad"}, {"#d9f2e3", "#1d7a45"},
                                  {"#d8e8fb", "#1f5fa8"}, {"#eef1f4", "#5d6b7a"},
                                  {"#fbdcd6", "#b3361d"}, {"#fdf0c8", "#9a7100"}};
  return colors[static_cast<std::size_t>(mark)];
}

}  // namespace maskgrad::detail
