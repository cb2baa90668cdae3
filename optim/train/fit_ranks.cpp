#include <fmt/format.h>

#include <maskgrad/core/io/json.hpp>
#include <maskgrad/optim/distributed/agreement.hpp>
#include <maskgrad/optim/train/fit_run.hpp>

// What ranks that train together agree on.

namespace maskgrad::detail {
namespace {
constexpr std::string_view in_fit_ranks = "fit";
}

void FitRun::check_settings() {
  begin_ = std::chrono::steady_clock::now();
  began_ = ranks().traffic().seconds;
  const FitOptions& options = setup_.options;
  any_on_step_ = static_cast<bool>(options.on_step);
  if (ranks().size() == 1) return;
  auto all = parse_own_json(setup_.settings);
  all["versions"].erase("threads");  // no result depends on it
  all["data"]["values"] = parse_own_json(fingerprint(setup_.batches));
  if (options.validation) {
    all["validation"] = parse_own_json(fingerprint(*options.validation));
  }
  all["fit"] = {{"strict_lengths", options.strict_lengths},
                {"segment", options.segment},
                {"shard_optimizer", options.ranks.shard_optimizer},
                {"detect_anomaly", options.detect_anomaly},
                {"checkpoints", !options.checkpoints.folder.empty()},
                {"every_epochs", options.checkpoints.every_epochs},
                {"every_steps", options.checkpoints.every_steps},
                {"resume", options.checkpoints.resume}};
  for (auto& note : check_agreement(in_fit_ranks, ranks(), json_text(all))) {
    reporter_.note(std::move(note), true);
  }
  double any[] = {options.on_step ? 1.0 : 0.0};
  ranks().max(any);
  any_on_step_ = any[0] > 0;
}

void FitRun::check_state() {
  if (ranks().size() == 1) return;
  std::vector<std::pair<std::string, Tensor>> values;
  for (const auto& named : setup_.parameters) {
    values.emplace_back(named.name, named.parameter.value());
  }
  for (const auto& saved : setup_.optimizer.saved_values()) {
    values.emplace_back("optimizer/" + saved.name, saved.value);
  }
  const RunState& run = history_.state();
  const SortedJson all{{"values", parse_own_json(fingerprint(values))},
                       {"epoch", run.epoch},
                       {"batch", run.batch},
                       {"step", run.step}};
  check_agreement(in_fit_ranks, ranks(), json_text(all));
}

void FitRun::agree_to_end(bool signals_too) {
  if (!ranks()) return;
  double any[] = {stop_ ? 1.0 : 0.0, signals_too && interrupts_.asked() ? 1.0 : 0.0};
  ranks().max(any);
  stop_ = any[0] > 0;
  interrupted_ = interrupted_ || any[1] > 0;
}

void FitRun::share(Logs& logs) const {
  if (ranks().size() == 1) return;
  std::vector<double> values;
  for (const auto& entry : logs.values()) values.push_back(entry.second);
  ranks().broadcast(std::as_writable_bytes(std::span(values)));
  const auto names = logs.values();
  for (std::size_t i = 0; i < names.size(); ++i) logs.set(names[i].first, values[i]);
}

void FitRun::simulate() {
  const FitOptions& options = setup_.options;
  if (options.simulate_ranks.empty() || ranks().rank() > 0) return;
  const Forecast made = forecast(setup_.model, setup_.optimizer, setup_.batches, options.loss,
                                 {.ranks = options.simulate_ranks,
                                  .network = options.network,
                                  .sharing = {.shards = options.ranks.shards}});
  const auto epochs = std::max<std::int64_t>(0, options.epochs - history_.state().epoch);
  std::string text =
      fmt::format("forecast, a step measured here, {} epochs:\n{}", epochs, made.table());
  text.pop_back();
  reporter_.note(std::move(text));
}

void FitRun::tell_of_ranks() {
  if (ranks().size() == 1) return;
  std::vector<double> rows(static_cast<std::size_t>(ranks().size()));
  rows[static_cast<std::size_t>(ranks().rank())] = rows_here_;
  ranks().sum(rows);
  double all = 0, most = 0;
  for (const double each : rows) {
    all += each;
    most = std::max(most, each);
  }
  const double even = all / static_cast<double>(rows.size());
  const RankTraffic traffic = ranks().traffic();
  const double taken = traffic.seconds - began_, whole = seconds_since(begin_);
  reporter_.note(fmt::format(
      "{} ranks: the one with most rows had {:.0f} % of an even share; rank 0 spent {:.1f} % of "
      "the time in communication, waiting included, and sent {:.1f} MB",
      rows.size(), even > 0 ? 100 * most / even : 100, whole > 0 ? 100 * taken / whole : 0,
      traffic.bytes / 1e6));
}

}  // namespace maskgrad::detail
