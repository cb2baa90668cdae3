// What feeding a training costs: a step of the word sample's model (27 letters, Embedding 32,
// GRU 128, Dense 6; 128 words of 3 to 20 letters) with its batches at hand, data/words/kept, and
// from the loader with its thread, data/words/loader; data/words/batches is the loader alone.

#include <benchmark/benchmark.h>

#include "bench/bench.hpp"

#include <maskgrad/maskgrad.hpp>

namespace maskgrad::bench {
namespace {

constexpr std::int64_t words = 32 * 1024, longest = 20;

Dataset made_up_words() {
  const Tensor letters = cast(random_uniform({words, longest}, Seed{1}, 1, 27), DType::i64);
  const Tensor lengths = cast(random_uniform({words}, Seed{2}, 3, longest + 1), DType::i64);
  const Tensor languages = cast(random_uniform({words}, Seed{3}, 0, 6), DType::i64);
  return Dataset::from_memory(
      {letters.with_mask(Mask::from_lengths(lengths.to_vector<std::int64_t>(), longest))},
      languages);
}

class DataTraining {
 public:
  DataTraining() {
    set_num_threads(2);
    model_.build(Spec::ids({any, any}).masked(2), Seed{1});
    adam_ = std::make_unique<Adam>(model_.parameters());
  }
  void step(const Batch& batch) {
    sparse_categorical_crossentropy(batch.target, model_(batch.inputs[0])).backward();
    clip_by_global_norm(model_.parameters(), 1);
    adam_->step();
  }

 private:
  Sequential model_{Embedding{{.input_dim = 27, .output_dim = 32}}, GRU{{.units = 128}},
                    Dropout{{.rate = 0.3}}, Dense{{.units = 6}}};
  std::unique_ptr<Adam> adam_;
};

/// Calls `use` with batch after batch, epoch after epoch.
template <class F>
void each_batch(benchmark::State& state, F&& use) {
  const Batches batches{made_up_words(), {.batch_size = 128, .seed = 1}};
  std::int64_t number = 0;
  auto epoch = std::make_unique<Epoch>(batches.epoch(number));
  auto batch = epoch->begin();
  for (auto _ : state) {
    use(*batch);
    if (++batch != epoch->end()) continue;
    epoch = std::make_unique<Epoch>(batches.epoch(++number));
    batch = epoch->begin();
  }
}

void from_loader(benchmark::State& state) {
  DataTraining training;
  each_batch(state, [&](const Batch& batch) { training.step(batch); });
}

void loader_alone(benchmark::State& state) {
  each_batch(state, [](const Batch& batch) { benchmark::DoNotOptimize(batch.size()); });
}

void kept(benchmark::State& state) {
  DataTraining training;
  std::vector<Batch> all;
  const Batches batches{made_up_words(), {.batch_size = 128, .seed = 1}};
  for (const Batch& batch : batches.epoch(0)) all.push_back(batch);
  std::size_t at = 0;
  for (auto _ : state) training.step(all[at++ % all.size()]);
}

}  // namespace

void register_data() {
  add("data/words/kept", kept);
  add("data/words/loader", from_loader);
  add("data/words/batches", loader_alone);
}

}  // namespace maskgrad::bench
