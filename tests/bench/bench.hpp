#pragma once

#include <benchmark/benchmark.h>

#include <functional>
#include <string>

namespace maskgrad::bench {

/// Registers a benchmark of wall-clock time in ms.
inline void add(const std::string& name, std::function<void(benchmark::State&)> run) {
  benchmark::RegisterBenchmark(name.c_str(), std::move(run))
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
}

// One function for each file of bench_*.cpp.
void register_recurrent();
void register_layers();
void register_bandwidth();
void register_losses();
void register_overhead();
void register_data();
void register_time();
/// What a small program does from its start: a model, a step.
int start();

}  // namespace maskgrad::bench
