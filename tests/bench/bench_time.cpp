// What sequences in pieces and second derivatives cost:
// stream/GRU|Transformer/SEQUENCES[/unequal]/threadsN  one step of each sequence, 128 features, the
//   Transformer with 1,000 steps of context, or 750 to 1,250;
// segment/0|512  the gradient of GRU-256 over 4 sequences of 8,000 steps, whole or in segments;
// second/GRU|LSTM|TransformerEncoder/gradient|product  a gradient, and a Hessian-vector product.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "bench/bench.hpp"

#include <maskgrad/maskgrad.hpp>

namespace maskgrad::bench {
namespace {

constexpr std::int64_t width = 128;

Sequential transformer() {
  std::vector<AnyLayer> layers;
  for (int i = 0; i < 4; ++i) {
    layers.push_back(TransformerEncoder{{.intermediate_dim = 4 * width,
                                         .num_heads = 4,
                                         .normalize_first = true,
                                         .use_causal_mask = true}});
  }
  return Sequential(layers);
}

struct Streaming {
  bool attention;
  std::int64_t sequences;
  bool unequal;
  int threads;
};

void stream_step(benchmark::State& state, const Streaming& c) {
  set_num_threads(c.threads);
  const Evaluate evaluate;
  Sequential model =
      c.attention ? transformer() : Sequential{GRU{{.units = width, .return_sequences = true}}};
  model.build(Spec::f32({any, any, width}).masked(2), Seed{1});
  Stream stream(model, {.sequences = c.sequences});
  std::vector<std::int64_t> context(static_cast<std::size_t>(c.sequences), c.attention ? 1000 : 1);
  for (std::size_t s = 0; c.unequal && s < context.size(); ++s) {
    context[s] = 750 + 500 * static_cast<std::int64_t>(s) / (c.sequences - 1);
  }
  const Mask mask = Mask::from_lengths(context);
  stream.push(random_normal(mask.shape() + Shape{width}, Seed{2}).with_mask(mask));
  const StreamState begin = stream.state();
  const Tensor x = random_normal({c.sequences, 1, width}, Seed{3});
  std::int64_t steps = 0;
  for (auto _ : state) {
    if (++steps % 100 == 0) {  // the context stays about as long as it was
      state.PauseTiming();
      stream.set_state(begin);
      stream.push(x);
      state.ResumeTiming();
    }
    stream.push(x);
  }
}

void segment_step(benchmark::State& state, std::int64_t segment) {
  set_num_threads(2);
  Sequential model{GRU{{.units = 256, .return_sequences = true}}, Dense{{.units = 1}}};
  model.build(Spec::f32({any, any, 8}).masked(2), Seed{1});
  Batch batch;
  batch.inputs = {random_normal({4, 8000, 8}, Seed{2})};
  batch.target = random_normal({4, 8000, 1}, Seed{3});
  batch.samples = {0, 1, 2, 3};
  for (auto _ : state) {
    compute_gradients(model, "mean_squared_error", batch, {.segment = segment});
    for (const auto& p : model.parameters()) p.clear_grad();
  }
}

void second(benchmark::State& state, AnyLayer layer, const Tensor& x, bool product) {
  set_num_threads(2);
  Sequential model{std::move(layer)};
  const Spec spec = Spec::f32({any, any, x.shape()[2]});
  model.build(x.has_mask() ? spec.masked(2) : spec, Seed{1});
  const auto parameters = model.parameters();
  std::vector<Tensor> along;
  for (const auto& p : parameters) along.push_back(random_normal(p.shape(), Seed{along.size()}));
  const auto loss = [&] { return mean(square(model(x))); };
  for (auto _ : state) {
    if (product) {
      benchmark::DoNotOptimize(hvp(loss, parameters, along));
    } else {
      benchmark::DoNotOptimize(gradients(loss(), parameters));
    }
  }
}

}  // namespace

void register_time() {
  for (const Streaming& c : {Streaming{false, 1, false, 1},
                             {false, 32, false, 1},
                             {true, 1, false, 1},
                             {true, 8, false, 1},
                             {true, 8, true, 1},
                             {true, 32, false, 1},
                             {true, 1, false, 2},
                             {true, 32, false, 2}}) {
    add(fmt::format("stream/{}/{}{}/threads{}", c.attention ? "Transformer" : "GRU", c.sequences,
                    c.unequal ? "/unequal" : "", c.threads),
        [c](auto& state) { stream_step(state, c); });
  }
  for (const std::int64_t segment : {0, 512}) {
    add(fmt::format("segment/{}", segment), [=](auto& state) { segment_step(state, segment); });
  }
  std::vector<std::int64_t> half;
  for (std::int64_t s = 0; s < 34; ++s) half.push_back(1000 * (s + 1) / 35);
  const Tensor long_x =
      random_normal({34, 1000, 16}, Seed{1}).with_mask(Mask::from_lengths(half, 1000));
  const Tensor wide_x = random_normal({32, 128, width}, Seed{1});
  for (const bool product : {false, true}) {
    const auto add_second = [product](const AnyLayer& layer, const Tensor& x) {
      add(fmt::format("second/{}/{}", layer.kind(), product ? "product" : "gradient"),
          [=](auto& state) { second(state, layer, x, product); });
    };
    add_second(GRU{{.units = 64, .return_sequences = true}}, long_x);
    add_second(LSTM{{.units = 64, .return_sequences = true}}, long_x);
    add_second(TransformerEncoder{{.intermediate_dim = 256, .num_heads = 4}}, wide_x);
  }
}

}  // namespace maskgrad::bench
