// Milliseconds a step of the samples' trainings, on ranks that mpirun started, or alone with threads:
//
//   speed words|music|speakers ranks THREADS [SHARDS]   mpirun -n 2 speed music ranks 1
//   speed words|music|speakers alone THREADS            without shards, as a program without ranks
//   speed words|music|speakers fastest THREADS          each rank's share as one part

#include <fmt/core.h>

#include <algorithm>
#include <chrono>

#include "trainings.hpp"

#include <maskgrad/optim/distributed/mpi/mpi.hpp>

namespace mg = maskgrad;

int main(int argc, char** argv) try {
  const std::string what = argc > 1 ? argv[1] : "", how = argc > 2 ? argv[2] : "ranks";
  mg::set_num_threads(argc > 3 ? std::stoi(argv[3]) : 1);
  mg::RankOptions ranks;
  if (how != "alone") ranks.communicator = mg::mpi_communicator();
  if (how == "fastest") ranks.reduction_order = mg::ReductionOrder::fastest;
  if (argc > 4) ranks.shards = std::stoll(argv[4]);

  const auto training = mg::tests::sample_training(what, false, false);
  mg::Sequential model = training.model();
  mg::AdamW adam{model.parameters(), {.learning_rate = 1e-3}};
  const mg::Batches batches{training.data, {.batch_size = training.batch_size, .seed = 3}};
  double best = 1e9, bytes = 0;
  for (int epoch = 0; epoch < 8; ++epoch) {  // the best one: others compute beside it
    const auto begin = std::chrono::steady_clock::now();
    const auto sent = ranks.communicator.traffic().bytes;
    std::int64_t steps = 0;
    for (const mg::Batch& batch : batches.epoch(epoch, 0, ranks)) {
      mg::train_step(model, adam, training.loss, batch, {.clip_norm = 1, .ranks = ranks});
      ++steps;
    }
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    best = std::min(best, taken.count() / static_cast<double>(steps));
    bytes = (ranks.communicator.traffic().bytes - sent) / static_cast<double>(steps);
  }
  double weights = 0;
  for (const auto& p : model.parameters()) weights += 4 * static_cast<double>(p.shape().count());
  if (ranks.communicator.rank() > 0) return 0;
  fmt::print(
      "{} {}: {} ranks, {} threads: {:.3f} ms a step, sent {:.3f} of the parameters' bytes\n", what,
      how, ranks.communicator.size(), mg::num_threads(), 1000 * best, bytes / weights);
} catch (const std::exception& e) {
  fmt::print(stderr, "{}\n", e.what());
  return 1;
}
