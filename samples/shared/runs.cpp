#include "runs.hpp"

#include <fmt/core.h>

#include <chrono>
#include <cstdio>

#include <maskgrad/core/error.hpp>

namespace samples {

void over_seeds(const Seeds& seeds, std::string_view what,
                const std::function<double(std::uint64_t)>& train) {
  double sum = 0;
  for (std::int64_t i = 0; i < seeds.count; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const double result = train(static_cast<std::uint64_t>(seeds.first + i));
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    sum += result;
    fmt::print("seed {}: {} {:.3f}  ({:.1f} s)\n", seeds.first + i, what, result, seconds.count());
    std::fflush(stdout);
  }
  if (seeds.count > 1) {
    fmt::print("mean of {}: {} {:.3f}\n", seeds.count, what,
               sum / static_cast<double>(seeds.count));
  }
}

void expect_finished(const maskgrad::History& history) {
  if (!history.interrupted) return;
  maskgrad::fail<maskgrad::StateError>("fit", "interrupted in epoch {}; there is no result",
                                       history.epochs.size() + 1);
}

}  // namespace samples
