// Kills a training that checkpoints every few steps, with SIGKILL at random moments, again and
// again, and holds the weights at its end against those of a run that was never interrupted.
//
//   kill [KILLS [SEED]]    5 and 1 by default; ends with 0 where every run went on and all weights
//                          are the same bit by bit

#include <fmt/core.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <random>
#include <string>
#include <thread>

#include <maskgrad/maskgrad.hpp>

#include "io/files.hpp"

namespace mg = maskgrad;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

/// Sequences of 0 to 30 steps; the target of a step is its input, a half of it.
mg::Dataset data() {
  std::vector<std::vector<float>> values(120);
  std::uint64_t at = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::size_t k = 0; k < 4 * (i * 13 % 31); ++k) {
      values[i].push_back(static_cast<float>(mg::random::unit_at(mg::Seed{2}, at++)));
    }
  }
  const mg::Tensor x = mg::from_sequences(values, {4});
  return mg::Dataset::from_memory({x}, x * 0.5);
}

/// A whole training, as a program would run it: all that matters for going on is in use. It ends
/// with its weights in `result`.
void train(const fs::path& folder, const fs::path& result) {
  mg::Sequential model{mg::GRU{{.units = 12, .dropout = 0.1, .return_sequences = true}},
                       mg::Dropout{{.rate = 0.2}}, mg::BatchNormalization{{}},
                       mg::Dense{{.units = 4}}};
  model.build(mg::Spec::f32({mg::any, mg::any, 4}).masked(2), mg::Seed{1});
  mg::Adam adam{model.parameters(), {.learning_rate = 0.01}};
  const mg::Dataset all = data();
  const auto history =
      mg::fit(model, adam, mg::Batches{all, {.max_rows = 80, .seed = 5, .bucket = true}},
              {.loss = "mean_squared_error",
               .epochs = 8,
               .validation = mg::Batches{all, {.batch_size = 40, .shuffle = false}},
               .schedule = mg::WarmUp{{.over = 1, .then = mg::CosineDecay{{.over = 8}}}},
               .clip_norm = 1,
               .early_stopping = mg::EarlyStoppingOptions{.patience = 100},
               .average = mg::MovingAverageOptions{.decay = 0.95},
               .weight_noise = 0.01,
               .seed = 3,
               .checkpoints = {.folder = folder, .every_steps = 3, .stop_on_failure = true},
               .metrics_file = folder.parent_path() / "metrics.csv",
               .progress = mg::Progress::off});
  for (const auto& note : history.notes) {
    if (!note.starts_with("resumed from")) throw std::runtime_error(note);
  }
  mg::save_weights(model, result);
}

/// A training in a process of its own, which has no threads of this one.
pid_t start(const fs::path& folder, const fs::path& result) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  try {
    train(folder, result);
    ::_exit(0);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    ::_exit(1);
  }
}

/// Waits for a child; whether it ended by itself, and well. A failure ends the program.
bool ended(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) return false;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
  fmt::print("a run failed: status {}\n", status);
  std::exit(1);
}

int main(int argc, char** argv) {
  const int wanted = argc > 1 ? std::stoi(argv[1]) : 5;
  std::mt19937_64 random(argc > 2 ? std::stoul(argv[2]) : 1);
  const files::TemporaryFolder base;
  const auto begin = Clock::now();
  fs::create_directory(base / "whole");
  ended(start(base / "whole/run", base / "whole.safetensors"));
  const auto length = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin);
  const auto expected = files::load(base / "whole.safetensors");

  int kills = 0, trainings = 0;
  while (kills < wanted) {
    const auto name = std::to_string(trainings++);
    const auto folder = base / name, result = base / (name + ".safetensors");
    fs::create_directory(folder);
    for (bool done = false; !done;) {
      const pid_t child = start(folder / "run", result);
      if (kills < wanted) {
        std::this_thread::sleep_for(random() % static_cast<std::uint64_t>(length.count()) *
                                    std::chrono::microseconds(1));
        ::kill(child, SIGKILL);
      }
      done = ended(child);
      if (!done) ++kills;
    }
    if (files::load(result) == expected) continue;
    fmt::print("training {}: the weights differ from those of the run without a kill\n", name);
    return 1;
  }
  fmt::print(
      "{} kills in {} trainings of {:.2f} s: every one went on, and the weights are the same bit "
      "by bit\n",
      kills, trainings, static_cast<double>(length.count()) * 1e-6);
}
