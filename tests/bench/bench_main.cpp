// build/tests/bench: Google Benchmark's options; or --lengths BATCH TIME, how
// long the sequences of the masked cases are, as JSON; or --memory, what training a GRU takes, in a
// process that does nothing else; or
// --start, one step of a small model, which start/process runs and times.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdlib>
#include <exception>
#include <string_view>

#include "bench/bench.hpp"
#include "bench/peaks.hpp"
#include "bench/recurrent_case.hpp"
#include "bench/valid.hpp"

namespace {

/// {share: [lengths]}, for peers that are to run on the same.
int print_lengths(std::int64_t batch, std::int64_t time) {
  std::string_view separator = "{";
  for (const auto& valid : maskgrad::bench::valids) {
    if (valid.share == 1 || valid.holes) continue;
    fmt::print("{}\"{}\": [{}]", separator, valid.name,
               fmt::join(maskgrad::bench::lengths_of(batch, time, valid), ", "));
    separator = ", ";
  }
  fmt::print("}}\n");
  return 0;
}

}  // namespace

int main(int argc, char** argv) try {
  using namespace maskgrad::bench;
  const std::string_view first = argc > 1 ? argv[1] : "";
  if (first == "--lengths" && argc == 4)
    return print_lengths(std::atoi(argv[2]), std::atoi(argv[3]));
  if (first == "--memory") return print_memory();
  if (first == "--start") return start();
  register_recurrent();
  register_layers();
  register_bandwidth();
  register_losses();
  register_overhead();
  register_data();
  register_time();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  for (const int threads : {1, 2}) {
    fmt::print(stderr, "{} thread(s): sgemm 2048 {:.0f} GFLOP/s, memory {:.1f} GB/s\n", threads,
               sgemm_peak(threads), memory_peak(threads));
  }
  benchmark::RunSpecifiedBenchmarks();
} catch (const std::exception& error) {
  fmt::print(stderr, "bench: {}\n", error.what());
  return 1;
}
