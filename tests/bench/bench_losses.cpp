// Each loss with its backward: loss/Huber/b64_t512_f64/valid50/threads2, a class a step where
// the target is one; CTC over 32 sequences of 400 steps, 60 labels and 80 classes; CRF over tags.
// Counter: valid rows/s.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>

#include "bench/bench.hpp"
#include "bench/valid.hpp"

namespace maskgrad::bench {
namespace {

struct LossCase {
  std::string name;
  std::int64_t batch = 64, time = 512, features = 64;
};

/// Values in (0, 1) that sum to 1 fit every loss's targets and predictions.
Tensor probabilities(const LossCase& c, std::uint64_t seed) {
  return softmax(random_normal({c.batch, c.time, c.features}, Seed{seed}));
}

Tensor target_of(const LossCase& c) {
  const auto ids = [](const Shape& shape, double low, double high) {
    return cast(random_uniform(shape, Seed{2}, low, high), DType::i64);
  };
  // Class 0 is CTC's blank.
  if (c.name == "CTC") return ids({c.batch, 60}, 1, static_cast<double>(c.features));
  if (c.name == "SparseCategoricalCrossentropy" || c.name == "CRF") {
    return ids({c.batch, c.time}, 0, static_cast<double>(c.features));
  }
  return probabilities(c, 2);
}

/// Labels that CTC can read from so many steps: one for three, 60 at most.
Mask labels_for(const Mask& steps) {
  std::vector<std::int64_t> labels = steps.lengths();
  for (auto& n : labels) n = std::min<std::int64_t>(60, n / 3);
  return Mask::from_lengths(labels, 60);
}

void run(benchmark::State& state, const LossCase& c, const Valid& valid, int threads) {
  set_num_threads(threads);
  Tensor target = target_of(c);
  Tensor x = c.name == "CTC" || c.name == "CRF"
                 ? random_normal({c.batch, c.time, c.features}, Seed{1})
                 : probabilities(c, 1);
  if (valid.share < 1) {
    const Mask mask = mask_of(c.batch, c.time, valid);
    x = x.with_mask(mask);
    target = target.with_mask(c.name == "CTC" ? labels_for(mask) : mask);
  }
  x = x.with_grad();
  LossFunction loss;
  CRF crf{{}};
  if (c.name == "CRF") {
    build(crf, Spec::f32(x.shape()), Seed{1});
    loss = [&crf](const Tensor& y_true, const Tensor& y) { return crf.loss(y_true, y); };
  } else {
    loss = make_loss_function(c.name);
  }
  const auto step = [&] {
    loss(target, x).backward();
    x.clear_grad();
  };
  for (int i = 0; i < 2; ++i) step();
  for (auto _ : state) step();
  const double rows = real_share(x) * static_cast<double>(c.batch * c.time);
  state.counters["rows/s"] = benchmark::Counter(rows * static_cast<double>(state.iterations()),
                                                benchmark::Counter::kIsRate);
}

}  // namespace

void register_losses() {
  std::vector<LossCase> cases;
  for (const auto name : loss_names()) {
    if (name != "CTC") cases.push_back({std::string(name)});
  }
  cases.push_back({"CTC", 32, 400, 80});
  cases.push_back({"CRF", 64, 256, 32});
  for (const auto& c : cases) {
    for (const auto& valid : valids) {
      for (const int threads : {1, 2}) {
        add(fmt::format("loss/{}/b{}_t{}_f{}/{}/threads{}", c.name, c.batch, c.time, c.features,
                        valid.name, threads),
            [c, valid, threads](auto& state) { run(state, c, valid, threads); });
      }
    }
  }
}

}  // namespace maskgrad::bench
