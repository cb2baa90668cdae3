#include <maskgrad/optim/train/data_checks.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include <maskgrad/core/quoted.hpp>
#include <maskgrad/optim/train/suspicions.hpp>

namespace maskgrad::detail {

DataChecks::DataChecks(const FitSetup& setup, Reporter& reporter)
    : setup_(setup), reporter_(reporter) {}

void DataChecks::check_part(const Batch& part, const Tensors& outputs, const Loss& loss) {
  if (!std::exchange(checked_first_, true)) {
    check_reductions(loss);
    for (auto& line : suspicions(setup_.model, setup_.options.loss, part, outputs)) {
      reporter_.note(fmt::format("at the first step: {}", line));
    }
  }
  check_fallen_away(loss.fallen_away(), "the training data");
}

void DataChecks::check_fallen_away(std::int64_t positions, std::string_view where_from) {
  if (positions == 0 || std::exchange(said_fallen_away_, true)) return;
  reporter_.note(
      fmt::format("the masks of target and prediction differ in {}: {} positions, where it was "
                  "first seen, are valid in one of them alone and fall away; .strict_lengths "
                  "refuses that",
                  where_from, positions));
}

void DataChecks::check_monitor(std::string_view monitor, const EpochRecord& record) {
  const auto value = record.logs.find(monitor);
  if (!value || std::isfinite(*value)) return;
  auto& said = said_not_finite_;
  if (std::find(said.begin(), said.end(), monitor) != said.end()) return;
  said.emplace_back(monitor);
  reporter_.note(
      fmt::format("{} is {} in epoch {}: an epoch without a finite value is never the best, and "
                  "counts as one that is not better",
                  printable(monitor), *value, record.epoch));
}

void DataChecks::check_reductions(const Loss& loss) {
  std::string now;
  for (const auto& term : loss.terms()) {
    now += fmt::format("{}{}: {}", now.empty() ? "" : ", ", term.name, name(term.reduction));
  }
  if (!reductions_.empty() && reductions_ != now) {
    reporter_.note(fmt::format("goes on with another loss: {}, which was {}", now, reductions_),
                   true);
  }
  reductions_ = std::move(now);
}

}  // namespace maskgrad::detail
