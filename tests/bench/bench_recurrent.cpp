// Recurrent layers through the public API: train/GRU/b34_t1000_f16_h64/valid50/threads2, and
// infer/, bidirectional/, stacked2/ likewise. Counters: valid rows/s, GFLOP/s by the convention of
// training_flop, and its share of the sgemm peak that this process measured first.

#include <benchmark/benchmark.h>
#include <fmt/core.h>

#include <map>

#include "bench/recurrent_case.hpp"

namespace maskgrad::bench {
namespace {

std::map<int, double> peaks;

struct Case {
  std::string kind, layer;
  Size size;
  Valid valid;
  int threads;
  std::string name() const {
    return fmt::format("{}/{}/{}/{}/threads{}", kind, layer, size.name(), valid.name, threads);
  }
};

void count(benchmark::State& state, const Case& c, const Tensor& x) {
  const double steps = static_cast<double>(state.iterations());
  const double layers = c.kind == "bidirectional" || c.kind == "stacked2" ? 2 : 1;
  const double part = c.kind == "infer" ? 1.0 / 3 : 1;
  const double flop = layers * part * training_flop(c.size, c.layer == "LSTM" ? 4 : 3, x);
  const double rows = real_share(x) * static_cast<double>(c.size.batch * c.size.time);
  using benchmark::Counter;
  state.counters["rows/s"] = Counter(rows * steps, Counter::kIsRate);
  state.counters["GFLOP/s"] = Counter(1e-9 * flop * steps, Counter::kIsRate);
  state.counters["of_peak"] = Counter(1e-9 * flop * steps / peaks[c.threads], Counter::kIsRate);
  state.counters["valid"] = real_share(x);
}

void run(benchmark::State& state, const Case& c) {
  set_num_threads(c.threads);
  const Tensor x = input_of(c.size, c.valid);
  const std::string shape = c.kind == "bidirectional" || c.kind == "stacked2" ? c.kind : "plain";
  Sequential model = model_of(c.layer, shape, c.size);
  if (c.kind == "infer") {
    model.predict(x);
    for (auto _ : state) benchmark::DoNotOptimize(model.predict(x));
  } else {
    Training training(std::move(model), c.size, x);
    for (int i = 0; i < 2; ++i) training.step();
    const auto before = memory::stats().heap_allocations;
    for (auto _ : state) training.step();
    state.counters["tensor_allocations"] =
        static_cast<double>(memory::stats().heap_allocations - before);
  }
  count(state, c, x);
}

void register_all() {
  for (const std::string kind : {"train", "infer", "bidirectional", "stacked2"}) {
    for (const std::string layer : {"GRU", "LSTM"}) {
      for (const auto& size : sizes) {
        for (const auto& valid : valids) {
          for (const int threads : {1, 2}) {
            const Case c{kind, layer, size, valid, threads};
            benchmark::RegisterBenchmark(c.name().c_str(), [c](benchmark::State& s) { run(s, c); })
                ->Unit(benchmark::kMillisecond)
                ->UseRealTime();
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace maskgrad::bench

int main(int argc, char** argv) {
  using namespace maskgrad;
  for (const int threads : {1, 2}) {
    set_num_threads(threads);
    bench::peaks[threads] = bench::sgemm_peak();
    fmt::print(stderr, "sgemm 2048 on {} thread(s): {:.0f} GFLOP/s\n", threads,
               bench::peaks[threads]);
  }
  bench::register_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}
