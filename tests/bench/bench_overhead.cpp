// Where little is computed: overhead/mlp (32, 16-32-1, forward and backward), overhead/chain (a
// hundred additions of one value, forward and backward), overhead/OPTIMIZER (a step over 100
// parameters of 100 values), start/process (a program that trains one step of a small model).
// What batch_invariant costs: batch_invariant/off and /on, a step of 32 sequences of 64 on average.

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>

#include "bench/bench.hpp"

#include <maskgrad/maskgrad.hpp>

extern char** environ;

namespace maskgrad::bench {
namespace {

Sequential small_model() {
  Sequential model{Dense{{.units = 32, .activation = "relu"}}, Dense{{.units = 1}}};
  model.build(Spec::f32({any, 16}), Seed{1});
  return model;
}

void mlp(benchmark::State& state) {
  set_num_threads(1);
  Sequential model = small_model();
  const auto parameters = model.parameters();
  const Tensor x = random_normal({32, 16}, Seed{1}), y = random_normal({32, 1}, Seed{2});
  for (auto _ : state) {
    mean_squared_error(y, model(x)).backward();
    for (const auto& p : parameters) p.clear_grad();
  }
}

void chain(benchmark::State& state) {
  set_num_threads(1);
  const Tensor x = scalar(1).with_grad(), one = scalar(1);
  for (auto _ : state) {
    Tensor y = x;
    for (int i = 0; i < 100; ++i) y = y + one;
    y.backward();
    x.clear_grad();
  }
}

void optimizer_step(benchmark::State& state, std::string_view name) {
  set_num_threads(1);
  std::vector<Parameter> parameters;
  for (int i = 0; i < 100; ++i) parameters.emplace_back(zeros({100}), fmt::format("w{}", i));
  const Tensor grad = ones({100});
  const auto optimizer = make_optimizer(name, parameters);
  for (auto _ : state) {
    for (const auto& p : parameters) p.set_grad(grad);
    optimizer->step();
  }
}

/// Forward and backward of a recurrent classifier with each sequence by itself, or together.
void invariant(benchmark::State& state, bool on) {
  set_num_threads(2);
  std::vector<std::int64_t> lengths;
  for (std::int64_t i = 0; i < 32; ++i) lengths.push_back(1 + 4 * i);
  Sequential model{GRU{{.units = 128}}, Dense{{.units = 8}}};
  model.build(Spec::f32({any, any, 64}).masked(2), Seed{1});
  const Tensor x =
      random_normal({32, 128, 64}, Seed{1}).with_mask(Mask::from_lengths(lengths, 128));
  const Batch batch{{x}, zeros({32}, DType::i64), {}, std::vector<std::int64_t>(32), {}};
  for (auto _ : state) {
    compute_gradients(model, "sparse_categorical_crossentropy", batch, {.batch_invariant = on});
    for (const auto& p : model.parameters()) p.clear_grad();
  }
}

void process(benchmark::State& state) {
  for (auto _ : state) {
    char self[] = "/proc/self/exe", option[] = "--start";
    char* arguments[] = {self, option, nullptr};
    pid_t child = 0;
    int status = 0;
    if (posix_spawn(&child, self, nullptr, nullptr, arguments, environ) != 0 ||
        waitpid(child, &status, 0) != child || status != 0) {
      state.SkipWithError("the process did not run");
    }
  }
}

}  // namespace

int start() {
  Sequential model = small_model();
  Adam adam{model.parameters()};
  mean_squared_error(zeros({32, 1}), model(ones({32, 16}))).backward();
  return adam.step().applied ? 0 : 1;
}

void register_overhead() {
  add("overhead/mlp", mlp);
  add("overhead/chain", chain);
  for (const auto name : optimizer_names()) {
    add(fmt::format("overhead/{}", name), [name](auto& state) { optimizer_step(state, name); });
  }
  add("start/process", process);
  add("batch_invariant/off", [](auto& state) { invariant(state, false); });
  add("batch_invariant/on", [](auto& state) { invariant(state, true); });
}

}  // namespace maskgrad::bench
