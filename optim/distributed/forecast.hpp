#pragma once

#include <string>
#include <vector>

#include <maskgrad/optim/distributed/rank_options.hpp>
#include <maskgrad/optim/train/steps.hpp>

namespace maskgrad {

/// What lies between ranks.
struct NetworkOptions {
  double latency = 20e-6;     ///< seconds until a message of no length is there
  double bandwidth = 1.25e9;  ///< bytes a second that a rank sends; 10 Gbit/s
};

/// What a training would be on so many ranks.
struct RankForecast {
  std::int64_t ranks = 1;
  double step_seconds = 0, epoch_seconds = 0;
  double efficiency = 1;  ///< of one rank's time / (ranks * this time)
  double balance = 1;     ///< of an even share, what the rank with most work has, on average
  double bytes = 0;       ///< that a rank sends a step
  double memory = 0;      ///< bytes of tensors that a rank needs
  std::string limit;      ///< what keeps it from being faster
};

struct ForecastOptions {
  std::vector<std::int64_t> ranks = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};
  NetworkOptions network = {};
  RankOptions sharing = {};  ///< its shards; of more ranks there are as many shards as ranks
};

/// What `simulate_ranks` measured and reckoned, a row for each number of ranks.
struct Forecast {
  std::vector<RankForecast> rows;
  /// A line for each number of ranks.
  std::string table() const;
};

/// What the training would be on other numbers of ranks: steps are measured here, on a few batches,
/// and computed for the rest by the lengths of all batches of an epoch, so that balance is in it;
/// communication is latency and bytes / bandwidth (the alpha-beta model) of what fit sends. Weights,
/// optimizer and noise are as before; functions of one's own are called.
/// Throws:   OptionError for a number of ranks out of 1 to 2^20, and a network that is not above 0.
/// Example:  mg::forecast(model, adam, batches, "sparse_categorical_crossentropy",
///                        {.ranks = {1, 2, 64}, .network = {.bandwidth = 12.5e9}});
Forecast forecast(detail::ModelRef model, Optimizer& optimizer, const Batches& batches,
                  const TrainingLoss& loss, const ForecastOptions& options = {});

}  // namespace maskgrad
