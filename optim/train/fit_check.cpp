#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <maskgrad/optim/train/fit_run.hpp>

// What a run refuses before it begins, and what it says about its data.

namespace maskgrad::detail {
namespace {

constexpr std::string_view where = "fit";

}  // namespace

void FitRun::check_options() {
  const auto at_least = [](std::string_view name, double value, double least) {
    check::option(where, name, value, least, INFINITY);
  };
  at_least("epochs", static_cast<double>(options_.epochs), 0);
  at_least("clip_norm", options_.clip_norm, 0);
  at_least("clip_value", options_.clip_value, 0);
  at_least("weight_noise", options_.weight_noise, 0);
  at_least("micro_batches", static_cast<double>(options_.micro_batches), 1);
  check_metric_names(where, options_.metrics);
  if (options_.early_stopping) {
    auto& early = *options_.early_stopping;
    if (early.monitor.empty()) early.monitor = options_.validation ? "val_loss" : "loss";
    at_least("early_stopping.patience", static_cast<double>(early.patience), 1);
    watch_.emplace("early_stopping", early.monitor, early.mode, early.min_delta);
  }
  check_schedule();
}

/// A schedule that grows beyond all numbers, or one of someone's own that turns NaN, is seen here
/// and not after days.
void FitRun::check_schedule() const {
  if (!options_.schedule) return;
  constexpr std::int64_t most = 1000;  // places that are looked at
  const auto steps = static_cast<double>(batches_.data().size() > 0 ? batches_.size(0) : 0);
  const auto epochs = static_cast<double>(options_.epochs);
  const auto places = std::clamp<std::int64_t>(options_.epochs, 0, most);
  for (std::int64_t i = 0; i < places; ++i) {
    const double epoch = std::floor(epochs * static_cast<double>(i) / static_cast<double>(places));
    const double step = std::min(epoch * steps, 9e18);
    const double factor = options_.schedule.factor({epoch, static_cast<std::int64_t>(step)});
    const double rate = factor * optimizer_.learning_rate();
    if (rate >= 0 && rate < std::numeric_limits<float>::max()) continue;
    fail<OptionError>(where,
                      "the schedule {} gives the learning rate {} in epoch {} (times {}); expected "
                      "finite numbers of 0 or more",
                      options_.schedule.rule()->kind(), rate, epoch + 1, factor);
  }
}

void FitRun::note_fallen_away(std::int64_t positions, const std::string& where_from) {
  if (positions == 0 || std::exchange(said_fallen_away_, true)) return;
  note(
      fmt::format("the masks of target and prediction differ in {}: {} positions, where it was "
                  "first seen, are valid in one of them alone and fall away; .strict_lengths "
                  "refuses that",
                  where_from, positions));
}

}  // namespace maskgrad::detail
