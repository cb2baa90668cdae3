#include <maskgrad/optim/data/description.hpp>

#include <fmt/format.h>

#include <algorithm>

#include <maskgrad/optim/data/plan.hpp>

namespace maskgrad {
namespace {

std::vector<DataDescription::Bar> histogram_of(const std::vector<std::int64_t>& sorted) {
  constexpr std::int64_t most = 10;
  const auto lengths = sorted.back() - sorted.front() + 1;
  const auto width = (lengths + most - 1) / most;
  std::vector<DataDescription::Bar> bars;
  for (auto from = sorted.front(); from <= sorted.back(); from += width) {
    bars.push_back({from, std::min(from + width - 1, sorted.back()), 0});
  }
  for (const auto n : sorted)
    ++bars[static_cast<std::size_t>((n - sorted.front()) / width)].sequences;
  return bars;
}

}  // namespace

DataDescription Dataset::describe() const {
  DataDescription d;
  std::vector<std::int64_t> lengths;
  for (std::int64_t i = 0; i < size(); ++i) lengths.push_back(source_->length(i));
  if (lengths.empty()) return d;
  std::sort(lengths.begin(), lengths.end());
  d.sequences = size();
  for (const auto n : lengths) d.steps += n;
  d.shortest = lengths.front();
  d.longest = lengths.back();
  d.mean = static_cast<double>(d.steps) / static_cast<double>(d.sequences);
  const auto middle = lengths.size() / 2;
  d.median = lengths.size() % 2 == 1
                 ? static_cast<double>(lengths[middle])
                 : static_cast<double>(lengths[middle - 1] + lengths[middle]) / 2;
  d.histogram = histogram_of(lengths);
  return d;
}

DataDescription Batches::describe(std::int64_t epoch) const {
  DataDescription d = data().describe();
  const auto plan = planner_->plan(epoch);
  d.batches = plan->batches();
  for (std::int64_t b = 0; b < plan->batches(); ++b) {
    std::int64_t longest = 0;
    for (const auto& piece : plan->batch(b)) {
      longest = std::max(longest, piece.steps);
      d.valid += piece.steps;
    }
    d.positions += longest * static_cast<std::int64_t>(plan->batch(b).size());
  }
  return d;
}

std::string DataDescription::str() const {
  if (sequences == 0) return "no sequences\n";
  auto text = fmt::format("{} sequences, {} steps; length {} to {}, median {:g}, mean {:.1f}\n",
                          sequences, steps, shortest, longest, median, mean);
  std::int64_t most = 1;
  for (const auto& bar : histogram) most = std::max(most, bar.sequences);
  const auto digits = std::to_string(longest).size();
  const auto count_digits = std::to_string(most).size();
  for (const auto& bar : histogram) {
    constexpr std::int64_t widest = 40;
    // A bar that is not empty shows.
    const auto length = static_cast<std::size_t>((bar.sequences * widest + most - 1) / most);
    text +=
        fmt::format("{:>{}} - {:>{}}  {:>{}}{}{}\n", bar.from, digits, bar.to, digits,
                    bar.sequences, count_digits, length > 0 ? "  " : "", std::string(length, '#'));
  }
  if (batches > 0) {
    text +=
        fmt::format("{} batches; padded they would have {} positions, {:.1f} % of them padding\n",
                    batches, positions, 100 * padding());
  }
  return text;
}

}  // namespace maskgrad
