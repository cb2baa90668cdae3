// Each layer of the registry, forward and backward to its inputs and weights:
// layer/LayerNormalization/b32_t512_f256/valid50/threads2. Counter: valid rows/s.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "bench/bench.hpp"
#include "bench/layer_case.hpp"

namespace maskgrad::bench {
namespace {

/// Some gradient of y.
Tensor gradient_for(const Tensor& y) {
  const Tensor dy = random_normal(y.shape(), Seed{9});
  return y.has_mask() ? dy.with_mask(y.mask()) : dy;
}

void run(benchmark::State& state, const LayerCase& c, const Valid& valid, int threads) {
  set_num_threads(threads);
  AnyLayer layer = layer_of(c);
  const Tensors inputs = inputs_of(c, valid);
  const auto parameters = maskgrad::parameters(layer);
  const Tensor seed = gradient_for(layer.call(inputs).front());
  const auto step = [&] {
    const Tensor y = layer.call(inputs).front();
    if (y.on_tape()) tape::backward({{y}}, {{seed}});  // positions depend on no input
    for (const auto& x : inputs) {
      if (is_real(x.dtype())) x.clear_grad();
    }
    for (const auto& p : parameters) p.clear_grad();
  };
  for (int i = 0; i < 2; ++i) step();
  for (auto _ : state) step();
  const double rows = real_share(inputs[0]) * static_cast<double>(c.batch * c.time);
  state.counters["rows/s"] = benchmark::Counter(rows * static_cast<double>(state.iterations()),
                                                benchmark::Counter::kIsRate);
}

}  // namespace

void register_layers() {
  check_complete();
  for (const auto& c : layer_cases()) {
    if (!c.left_out.empty()) continue;
    for (const auto& valid : valids) {
      for (const int threads : {1, 2}) {
        add(fmt::format("layer/{}/{}/{}/threads{}", c.kind, c.size(), valid.name, threads),
            [c, valid, threads](auto& state) { run(state, c, valid, threads); });
      }
    }
  }
}

}  // namespace maskgrad::bench
