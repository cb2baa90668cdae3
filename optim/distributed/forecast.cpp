#include <maskgrad/optim/distributed/forecast.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include <maskgrad/optim/distributed/measured_step.hpp>
#include <maskgrad/optim/distributed/shards.hpp>

namespace maskgrad {
namespace {

constexpr std::string_view in_forecast = "forecast";

/// Seconds of the parts of a step, of all steps of an epoch together.
struct StepParts {
  double computing = 0, waiting = 0, update = 0, latency = 0, bandwidth = 0;
  double all() const { return computing + waiting + update + latency + bandwidth; }
  /// The greatest beside computing, where that is not nearly all.
  std::string limit() const {
    if (computing >= 0.9 * all()) return "computing";
    const std::pair<double, const char*> parts[] = {{waiting, "balance of rows"},
                                                    {update, "the optimizer, which is not shared"},
                                                    {latency, "latency"},
                                                    {bandwidth, "bandwidth"}};
    return std::max_element(std::begin(parts), std::end(parts))->second;
  }
};

class Simulation {
 public:
  Simulation(const detail::MeasuredStep& step, const ForecastOptions& options,
             std::vector<std::vector<std::int64_t>> batches)
      : step_(step), options_(options), batches_(std::move(batches)) {}

  RankForecast on(std::int64_t ranks) {
    parts_ = {};
    most_rows_ = 0;
    RankOptions sharing = options_.sharing;
    sharing.communicator = {};
    const auto needed = static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(ranks)));
    constexpr std::int64_t most_unasked = 8;  // see RankOptions::shards
    if (sharing.shards > 0 || needed > most_unasked) {
      sharing.shards = std::max(sharing.shards, needed);
    }
    // Many batches are alike: some hundred tell of the rest.
    const auto every = 1 + batches_.size() / 500;
    std::size_t seen = 0;
    for (std::size_t b = 0; b < batches_.size(); b += every, ++seen) {
      add_step(detail::shard_rows(batches_[b], sharing), batches_[b], ranks);
    }
    return result(ranks, seen);
  }

 private:
  void add_step(const detail::ShardRows& shards, const std::vector<std::int64_t>& lengths,
                std::int64_t ranks) {
    double all = 0, most = 0;
    for (std::int64_t r = 0; r < ranks; ++r) {
      const auto [from, to] =
          detail::shards_of_rank(std::ssize(shards), static_cast<int>(r), static_cast<int>(ranks));
      double own = 0;
      for (auto s = from; s < to; ++s) {
        std::int64_t rows = 0, longest = 0;
        for (const auto row : shards[static_cast<std::size_t>(s)]) {
          const auto length = lengths[static_cast<std::size_t>(row)];
          rows += length;
          longest = std::max(longest, length);
        }
        own += step_.shard(rows, longest);
        most_rows_ = std::max(most_rows_, rows);
      }
      all += own;
      most = std::max(most, own);
    }
    const double even = all / static_cast<double>(ranks);
    parts_.computing += even;
    parts_.waiting += most - even;
    add_communication(static_cast<double>(ranks));
  }

  /// By halves for powers of two, else to each rank its part; what is counted is gathered first.
  void add_communication(double ranks) {
    parts_.update += step_.update;
    if (ranks == 1) return;
    const double rounds = std::ceil(std::log2(ranks));
    const bool halves = std::has_single_bit(static_cast<std::uint64_t>(ranks));
    const double messages = 2 * rounds + (halves ? 2 * rounds : 2 * (ranks - 1));
    const double share = (ranks - 1) / ranks;
    parts_.latency += messages * options_.network.latency;
    parts_.bandwidth += 2 * share * step_.gradient_bytes / options_.network.bandwidth;
    parts_.update += share * step_.add;
  }

  RankForecast result(std::int64_t ranks, std::size_t seen) const {
    RankForecast made;
    made.ranks = ranks;
    const double steps = static_cast<double>(std::max<std::size_t>(seen, 1)),
                 n = static_cast<double>(ranks);
    made.step_seconds = parts_.all() / steps;
    made.epoch_seconds = made.step_seconds * static_cast<double>(batches_.size());
    made.balance = parts_.computing > 0 ? 1 + parts_.waiting / parts_.computing : 1;
    made.bytes = 2 * (n - 1) / n * step_.gradient_bytes;
    made.memory = step_.kept_bytes + step_.row_bytes * static_cast<double>(most_rows_);
    made.limit = parts_.limit();
    return made;
  }

  const detail::MeasuredStep& step_;
  const ForecastOptions& options_;
  std::vector<std::vector<std::int64_t>> batches_;
  StepParts parts_;
  std::int64_t most_rows_ = 0;
};

std::string duration(double seconds) {
  if (seconds < 1e-3) return fmt::format("{:.0f} us", 1e6 * seconds);
  if (seconds < 1) return fmt::format("{:.1f} ms", 1e3 * seconds);
  if (seconds < 120) return fmt::format("{:.1f} s", seconds);
  return seconds < 7200 ? fmt::format("{:.0f} min", seconds / 60)
                        : fmt::format("{:.1f} h", seconds / 3600);
}

}  // namespace

std::string Forecast::table() const {
  std::string text =
      fmt::format("{:>6} {:>9} {:>9} {:>10} {:>8} {:>10} {:>9}  {}\n", "ranks", "step", "epoch",
                  "efficiency", "balance", "sent/step", "memory", "limit");
  for (const auto& row : rows) {
    text += fmt::format("{:>6} {:>9} {:>9} {:>8.0f} % {:>8.2f} {:>7.2f} MB {:>6.0f} MB  {}\n",
                        row.ranks, duration(row.step_seconds), duration(row.epoch_seconds),
                        100 * row.efficiency, row.balance, row.bytes / 1e6, row.memory / 1e6,
                        row.limit);
  }
  return text;
}

Forecast forecast(detail::ModelRef model, Optimizer& optimizer, const Batches& batches,
                  const TrainingLoss& loss, const ForecastOptions& options) {
  for (const auto ranks : options.ranks) {
    check::option(in_forecast, "ranks", static_cast<double>(ranks), 1, 1048577);
  }
  check::above_0(in_forecast, "network.latency", options.network.latency);
  check::above_0(in_forecast, "network.bandwidth", options.network.bandwidth);
  detail::check_ranks(in_forecast, options.sharing);
  const auto step = detail::measure_step(model, optimizer, batches, loss);
  Simulation simulation(step, options, batches.batch_lengths(0));
  Forecast made;
  const double alone = simulation.on(1).step_seconds;
  for (const auto ranks : options.ranks) {
    RankForecast row = simulation.on(ranks);
    row.efficiency =
        row.step_seconds > 0 ? alone / (static_cast<double>(ranks) * row.step_seconds) : 1;
    made.rows.push_back(std::move(row));
  }
  return made;
}

}  // namespace maskgrad
