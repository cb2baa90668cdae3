// What runs at the speed of memory, over arrays of 128 MiB:
// bandwidth/LayerNormalization/threads2. Counters: GB/s by compulsory passes, each over the whole
// array once (stated at each case), and its share of the triad that this process measured first.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "bench/bench.hpp"
#include "bench/peaks.hpp"
#include "bench/valid.hpp"

#include <maskgrad/maskgrad.hpp>

namespace maskgrad::bench {
namespace {

constexpr std::int64_t features = 512, values = 32 << 20;

void count(benchmark::State& state, double bytes, int threads) {
  using benchmark::Counter;
  const double gb = 1e-9 * bytes * static_cast<double>(state.iterations());
  state.counters["GB/s"] = Counter(gb, Counter::kIsRate);
  state.counters["of_memory"] = Counter(gb / memory_peak(threads), Counter::kIsRate);
}

template <class L>
void normalization(benchmark::State& state, L layer, double passes, int threads) {
  memory_peak(threads);
  set_num_threads(threads);
  const Tensor x = random_normal({64, values / features / 64, features}, Seed{1}).with_grad();
  const Tensor dy = random_normal(x.shape(), Seed{2});
  build(layer, Spec::f32(x.shape()), Seed{1});
  const auto parameters = maskgrad::parameters(layer);
  const auto step = [&] {
    const Tensor y = layer(x);
    tape::backward({{y}}, {{dy}});
    x.clear_grad();
    for (const auto& p : parameters) p.clear_grad();
  };
  for (int i = 0; i < 2; ++i) step();
  for (auto _ : state) step();
  count(state, passes * sizeof(float) * values, threads);
}

void recurrence(benchmark::State& state, const Valid& valid, int threads) {
  memory_peak(threads);
  set_num_threads(threads);
  constexpr std::int64_t batch = 32, time = 4096;
  Tensor a = random_uniform({batch, time, values / batch / time}, Seed{1});
  Tensor b = random_normal(a.shape(), Seed{2}), dh = random_normal(a.shape(), Seed{3});
  if (valid.share < 1) {
    const Mask mask = mask_of(batch, time, valid);
    for (Tensor* x : {&a, &b, &dh}) *x = x->with_mask(mask);
  }
  a = a.with_grad(), b = b.with_grad();
  const auto step = [&] {
    const Tensor h = linear_recurrence(a, b);
    tape::backward({{h}}, {{dh}});
    a.clear_grad();
    b.clear_grad();
  };
  for (int i = 0; i < 2; ++i) step();
  for (auto _ : state) step();
  // Forward a, b -> h; backward dh, a, h -> da, db.
  count(state, 8.0 * sizeof(float) * values * real_share(a), threads);
}

void crossentropy(benchmark::State& state, int threads) {
  memory_peak(threads);
  set_num_threads(threads);
  constexpr std::int64_t classes = 10000, rows = values / classes;
  const Tensor logits = random_normal({rows, classes}, Seed{1}).with_grad();
  const Tensor ids = cast(random_uniform({rows}, Seed{2}, 0, classes), DType::i64);
  const auto step = [&] {
    sparse_categorical_crossentropy(ids, logits).backward();
    logits.clear_grad();
  };
  for (int i = 0; i < 2; ++i) step();
  for (auto _ : state) step();
  // The logits for the sum and again for the gradient, which is written.
  count(state, 3.0 * sizeof(float) * rows * classes, threads);
}

void adam(benchmark::State& state, int threads) {
  memory_peak(threads);
  set_num_threads(threads);
  constexpr std::int64_t size = 10'000'000;
  const Parameter weights(random_normal({size}, Seed{1}), "weights");
  const Tensor grad = random_normal({size}, Seed{2});
  Adam optimizer{{weights}};
  const auto step = [&] {
    weights.set_grad(grad);
    optimizer.step();
  };
  for (int i = 0; i < 2; ++i) step();
  for (auto _ : state) step();
  // Weights, gradient and two moments read, all but the gradient written.
  count(state, 7.0 * sizeof(float) * size, threads);
}

}  // namespace

void register_bandwidth() {
  for (const int threads : {1, 2}) {
    const auto name = [threads](const char* what) {
      return fmt::format("bandwidth/{}/threads{}", what, threads);
    };
    // Forward x -> y; backward x, dy -> dx.
    add(name("LayerNormalization"),
        [threads](auto& state) { normalization(state, LayerNormalization{}, 5, threads); });
    // Forward x for the statistics, x -> y; backward x, dy for their sums, x, dy -> dx.
    add(name("BatchNormalization"),
        [threads](auto& state) { normalization(state, BatchNormalization{}, 8, threads); });
    for (const auto& valid : valids) {
      if (valid.holes) continue;
      add(name(fmt::format("linear_recurrence/{}", valid.name).c_str()),
          [=](auto& state) { recurrence(state, valid, threads); });
    }
    add(name("sparse_categorical_crossentropy"),
        [threads](auto& state) { crossentropy(state, threads); });
    add(name("Adam"), [threads](auto& state) { adam(state, threads); });
  }
}

}  // namespace maskgrad::bench
