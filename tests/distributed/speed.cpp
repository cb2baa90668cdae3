// Milliseconds a step of the samples' trainings, on ranks that mpirun started, or alone with threads:
//
//   speed words|music|speakers ranks THREADS [SHARDS]   mpirun -n 2 speed music ranks 1
//   speed words|music|speakers alone THREADS            without shards, as a program without ranks
//   speed words|music|speakers threads N [SHARDS]       N ranks that are threads, of one thread each
//   speed words|music|speakers fastest THREADS          each rank's share as one part
//   speed words|music|speakers forecast THREADS         what 1 to 1,024 ranks would be
//
// On ranks it says what the forecast makes of the same step, by the network measured here.

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <numeric>

#include "trainings.hpp"

#include <maskgrad/optim/distributed/mpi/mpi.hpp>

namespace mg = maskgrad;

double seconds_of(int times, const std::function<void()>& f) {
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < times; ++i) f();
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  return taken.count() / times;
}

/// What lies between these ranks, at its best.
mg::NetworkOptions measured_network(const mg::Communicator& ranks) {
  mg::NetworkOptions network{.latency = 1, .bandwidth = 0};
  std::vector<float> values(1 << 20);
  const double rounds = std::ceil(std::log2(ranks.size()));
  for (int i = 0; i < 5; ++i) {
    const double barrier = seconds_of(100, [&] { ranks.barrier(); });
    network.latency = std::min(network.latency, barrier / rounds);
    const double before = ranks.traffic().bytes;
    const double sum = seconds_of(1, [&] { ranks.sum(std::span<float>(values)); });
    network.bandwidth = std::max(network.bandwidth, (ranks.traffic().bytes - before) / sum);
  }
  return network;
}

void print_forecasts(mg::Sequential& model, mg::Optimizer& optimizer, const mg::Batches& batches,
                     const mg::TrainingLoss& loss) {
  for (const double gigabits : {10, 100}) {
    const mg::NetworkOptions network{.bandwidth = gigabits * 1e9 / 8};
    fmt::print("{} Gbit/s, {} us\n{}", gigabits, network.latency * 1e6,
               mg::forecast(model, optimizer, batches, loss, {.network = network}).table());
  }
}

void measure(const std::string& what, const std::string& how, const mg::RankOptions& ranks) {
  const auto training = mg::tests::sample_training(what, false, false);
  mg::Sequential model = training.model();
  mg::AdamW adam{model.parameters(), {.learning_rate = 1e-3}};
  const mg::Batches batches{training.data, {.batch_size = training.batch_size, .seed = 3}};
  if (how == "forecast") return print_forecasts(model, adam, batches, training.loss);
  constexpr int repeats = 12;
  double told = 0;
  const int size = ranks.communicator.size();
  if (how == "ranks") {
    const auto network = size > 1 ? measured_network(ranks.communicator) : mg::NetworkOptions();
    const mg::RankOptions sharing{.shards = ranks.shards};
    told = mg::forecast(model, adam, batches, training.loss,
                        {.ranks = {size}, .network = network, .sharing = sharing})
               .rows[0]
               .step_seconds;
  }
  // The same steps again and again, of each its best time: others compute beside it.
  std::vector<double> times(static_cast<std::size_t>(batches.size(0)), 1e9);
  const auto sent = ranks.communicator.traffic().bytes;
  for (int i = 0; i < repeats; ++i) {
    std::size_t step = 0;
    for (const mg::Batch& batch : batches.epoch(0, 0, ranks)) {
      const double taken = seconds_of(1, [&] {
        mg::train_step(model, adam, training.loss, batch, {.clip_norm = 1, .ranks = ranks});
      });
      times[step] = std::min(times[step], taken);
      ++step;
    }
  }
  const auto steps = static_cast<double>(times.size());
  const double best = std::accumulate(times.begin(), times.end(), 0.0) / steps;
  const double bytes = (ranks.communicator.traffic().bytes - sent) / (steps * repeats);
  double weights = 0;
  for (const auto& p : model.parameters()) weights += 4 * static_cast<double>(p.shape().count());
  if (ranks.communicator.rank() > 0) return;
  if (told > 0) fmt::print("forecast {:.3f} ms, {:+.0f} %; ", 1000 * told, 100 * (told / best - 1));
  fmt::print(
      "{} {}: {} ranks, {} threads: {:.3f} ms a step, sent {:.3f} of the parameters' bytes\n", what,
      how, size, mg::num_threads(), 1000 * best, bytes / weights);
}

int main(int argc, char** argv) try {
  const std::string what = argc > 1 ? argv[1] : "", how = argc > 2 ? argv[2] : "ranks";
  const int threads = argc > 3 ? std::stoi(argv[3]) : 1;
  mg::RankOptions ranks;
  if (how == "fastest") ranks.reduction_order = mg::ReductionOrder::fastest;
  if (argc > 4) ranks.shards = std::stoll(argv[4]);
  mg::set_num_threads(how == "threads" ? 1 : threads);
  if (how == "threads") {
    mg::run_ranks(threads, [&](const mg::Communicator& communicator) {
      mg::RankOptions own = ranks;
      own.communicator = communicator;
      measure(what, how, own);
    });
    return 0;
  }
  if (how == "ranks" || how == "fastest") ranks.communicator = mg::mpi_communicator();
  measure(what, how, ranks);
} catch (const std::exception& e) {
  fmt::print(stderr, "{}\n", e.what());
  return 1;
}
