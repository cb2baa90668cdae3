#pragma once

#include <functional>

#include <maskgrad/optim/distributed/communicator.hpp>

namespace maskgrad {

struct RunRanksOptions {
  /// Seconds that a rank waits for another one, at most: then that one counts as stopped.
  double deadline = 60;
};

/// Runs `f` once for each of `ranks` ranks, each in a thread of this process: for tests, and for
/// trying out a training on many ranks without starting any process. Returns when all have ended.
/// Each must have a model, an optimizer and batches of its own.
/// Throws:   what the first rank that failed threw, its number before the text; OptionError for a
///           number out of 1 to 256, and a deadline that is not above 0.
/// Example:  mg::run_ranks(4, [](const mg::Communicator& ranks) { ranks.barrier(); });
void run_ranks(int ranks, const std::function<void(const Communicator&)>& f,
               const RunRanksOptions& options = {});

}  // namespace maskgrad
