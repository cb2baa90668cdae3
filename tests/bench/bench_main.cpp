// build/tests/bench: Google Benchmark's options; or --lengths, what the masked cases' sequences are
// long, as JSON; or --memory, what training a GRU takes, in a process that does nothing else.

#include <benchmark/benchmark.h>
#include <fmt/core.h>

#include <string_view>

#include "bench/recurrent_case.hpp"

int main(int argc, char** argv) {
  using namespace maskgrad::bench;
  const std::string_view first = argc > 1 ? argv[1] : "";
  if (first == "--lengths") return print_lengths();
  if (first == "--memory") return print_memory();
  register_recurrent();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  for (const int threads : {1, 2}) {
    fmt::print(stderr, "sgemm 2048 on {} thread(s): {:.0f} GFLOP/s\n", threads,
               sgemm_peak(threads));
  }
  benchmark::RunSpecifiedBenchmarks();
}
