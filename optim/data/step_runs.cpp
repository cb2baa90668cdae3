#include <maskgrad/optim/data/step_runs.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

#include <maskgrad/core/quoted.hpp>

namespace maskgrad::data {
namespace {

constexpr std::string_view in_step_runs = "read_dataset";

template <class... Args>
[[noreturn]] void refuse(const ArrayFacts& array, fmt::format_string<Args...> text,
                         Args&&... args) {
  fail<FileError>(in_step_runs, "{}: {}", array.file,
                  detail::format(text, fmt::make_format_args(args...)));
}

/// Whether a name speaks of lengths or of a mask.
bool tells_steps(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return name.find("len") != name.npos || name.find("mask") != name.npos;
}

StepRuns all_valid(const ArrayFacts& array) {
  const auto sequences = static_cast<std::size_t>(array.shape[0]);
  const auto time = array.shape[1];
  return {Runs::of_padded(std::vector<std::int64_t>(sequences, time), time), time};
}

}  // namespace

StepRuns runs_by_lengths(const ArrayFacts& array, const std::string& lengths_name,
                         std::vector<std::int64_t> lengths) {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  std::int64_t sum = 0, longest = 0;
  for (std::size_t s = 0; s < lengths.size(); ++s) {
    const auto n = lengths[s];
    if (n < 0) refuse(array, "'{}' of sequence {} is {}; expected 0 or more", lengths_name, s, n);
    sum = n > most - sum ? most : sum + n;
    longest = std::max(longest, n);
  }
  const auto& shape = array.shape;
  const auto layout = array.layout;
  const auto sequences = static_cast<std::int64_t>(lengths.size());
  const bool as_rows = !shape.empty() && sum == shape[0] && layout != StepLayout::padded;
  const bool as_padded = shape.size() >= 2 && shape[0] == sequences && longest <= shape[1] &&
                         layout != StepLayout::rows;
  const auto facts =
      fmt::format("'{}' has the shape [{}] and '{}' {} sequences of {} steps together, {} at most",
                  array.name, fmt::join(shape, ", "), lengths_name, sequences, sum, longest);
  if (as_rows && as_padded && sequences > 0) {
    refuse(array,
           "{}; that fits a row for each step, and padded sequences; set .layout to "
           "StepLayout::rows or StepLayout::padded",
           facts);
  }
  if (as_rows) return {Runs::of_lengths(std::move(lengths))};
  if (as_padded) return {Runs::of_padded(std::move(lengths), shape[1]), shape[1]};
  const auto padded = fmt::format("padded sequences [{}, {} or more, ...]", sequences, longest);
  refuse(array, "{}; expected {}", facts,
         layout == StepLayout::rows     ? "one row for each step, as .layout says"
         : layout == StepLayout::padded ? padded + ", as .layout says"
                                        : "one row for each step, or " + padded);
}

StepRuns runs_without_lengths(const ArrayFacts& array, const std::vector<std::string>& others) {
  const auto& shape = array.shape;
  const auto layout = array.layout;
  if (layout == StepLayout::one_sequence && !shape.empty()) return {Runs::of_lengths({shape[0]})};
  if (layout == StepLayout::padded && shape.size() >= 2) return all_valid(array);
  std::string names;
  for (const auto& name : others) names += (names.empty() ? "" : ", ") + detail::printable(name);
  if (layout != StepLayout::automatic || shape.size() < 3) {
    refuse(array,
           "there are no lengths and no mask, and '{}' has the shape [{}]; expected lengths "
           "[sequences], a mask [sequences, time], or values [sequences, time, ...] that are all "
           "valid; it has {}; say in .lengths or .mask which array tells the steps, or set .layout "
           "to StepLayout::one_sequence or StepLayout::padded",
           array.name, fmt::join(shape, ", "), names);
  }
  const auto telling = std::find_if(others.begin(), others.end(), tells_steps);
  if (telling != others.end()) {
    refuse(array,
           "'{}' has the shape [{}], and {} could tell which of its steps are valid; say so in "
           ".lengths or .mask, or set .layout to StepLayout::padded where all are",
           array.name, fmt::join(shape, ", "), detail::in_quotes(*telling));
  }
  return all_valid(array);
}

}  // namespace maskgrad::data
