#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include <maskgrad/optim/train/history.hpp>

namespace samples {

/// Which runs of a training there are: `count` of them, with the seeds `first`, `first` + 1, ...
struct Seeds {
  std::int64_t first = 1, count = 1;
};

/// Runs a training with each seed. Prints what each gave and how long it took, and of several the
/// mean; `what` is what `train` gives, as `test NLL` or `test accuracy %`.
void over_seeds(const Seeds& seeds, std::string_view what,
                const std::function<double(std::uint64_t)>& train);

/// Throws mg::StateError, which ends all runs, where Ctrl-C ended a training: it has no result.
void expect_finished(const maskgrad::History& history);

}  // namespace samples
