// A training on the processes that mpirun started.
//
//   mpi_training same               trains, then alone on each rank: 0 where all bits are the same
//                                   (on 1, 2, 4, ... ranks), or nearly so (on others)
//   mpi_training SAMPLE             the same with the training of a sample: words, music, speakers
//   mpi_training normalized         the same with BatchNormalization and .shard_optimizer
//   mpi_training FAULT              the last rank has it in the middle of the training: throw, stop
//                                   (SIGSTOP), kill (SIGKILL), leave (exits), seed (has another)
//   mpi_training save FOLDER FILE [STEP RANK PHASE]  trains with checkpoints, weights to FILE; in
//                                   that step the rank is killed: in its loss (0), before the
//                                   update (1), or behind the step (2)
//   mpi_training full FOLDER        the disk of rank 0 is full from step 20 on

#include <fmt/core.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <fstream>

#include "trainings.hpp"

#include <maskgrad/optim/distributed/mpi/mpi.hpp>

namespace mg = maskgrad;

/// Sequences of 0 to 200 steps, three features a step, each of one of two classes.
mg::Dataset data() {
  std::vector<std::vector<float>> values;
  std::vector<std::int64_t> classes;
  std::uint64_t at = 0;
  for (std::int64_t i = 0; i < 60; ++i) {
    auto& own = values.emplace_back();
    float total = 0;
    for (std::int64_t k = 0; k < 3 * (i % 7 == 0 ? 0 : i * 41 % 201); ++k) {
      own.push_back(static_cast<float>(2 * mg::random::unit_at(mg::Seed{5}, at++) - 1));
      total += own.back();
    }
    classes.push_back(total > 0 ? 1 : 0);
  }
  return mg::Dataset::from_memory({mg::from_sequences(values, {3})},
                                  mg::tensor(classes, {std::ssize(classes)}));
}

struct Settings {
  mg::RankOptions ranks = {};
  std::string fault = {}, folder = {};
  std::int64_t at_step = 5;
  int rank = -1;  ///< that has the fault; -1: the last one
  int phase = 1;
  bool normalized = false;  ///< with statistics over the batch, and the optimizer's state in parts
};

/// From now on no file of this process may have a byte more: the system says so as of a full disk.
void fill_disk() {
  ::signal(SIGXFSZ, SIG_IGN);
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_FSIZE, &none);
}

[[noreturn]] void leave() {
  std::exit(0);
}

void fall(const std::string& fault) {
  if (fault == "throw") mg::fail<mg::StateError>("test", "no luck");
  if (fault == "stop") ::raise(SIGSTOP);
  if (fault == "kill") ::raise(SIGKILL);
  if (fault == "leave") leave();
  if (fault == "full") fill_disk();
}

std::vector<float> train(const Settings& s) {
  std::vector<mg::AnyLayer> layers{mg::GRU{{.units = 8, .dropout = 0.1}},
                                   mg::Dropout{{.rate = 0.2}}, mg::Dense{{.units = 2}}};
  if (s.normalized) layers.insert(layers.begin(), mg::BatchNormalization{{.momentum = 0.9}});
  mg::Sequential model{std::move(layers)};
  model.build(mg::Spec::f32({mg::any, mg::any, 3}).masked(2), mg::Seed{1});
  mg::AdamW adam{model.parameters(), {.learning_rate = 0.02}};
  const mg::Communicator& all = s.ranks.communicator;
  const bool here = all.rank() == (s.rank < 0 ? all.size() - 1 : s.rank);
  std::int64_t step = 0;  // those that are done
  mg::FitOptions options{
      .loss = "sparse_categorical_crossentropy",
      .epochs = 5,
      .metrics = {"SparseCategoricalAccuracy"},
      .validation = mg::Batches{data(), {.batch_size = 30, .shuffle = false}},
      .clip_norm = 0.5,
      .average = mg::MovingAverageOptions{.decay = 0.9},
      .seed = here && s.fault == "seed" ? 8u : 9u,
      .checkpoints = {.folder = s.folder, .every_steps = 2, .stop_on_failure = true},
      .progress = mg::Progress::off,
      .ranks = s.ranks};
  const auto in_phase = [&](int phase) {
    if (here && s.phase == phase && step + 1 == s.at_step) fall(s.fault);
  };
  options.loss = mg::TrainingLoss([&](const mg::Batch& b, const mg::Tensors& outputs) {
    in_phase(0);
    return mg::sparse_categorical_crossentropy(b.target, outputs[0]);
  });
  options.before_update = [&](const mg::UpdateEvent& event) {
    step = event.step - 1;
    in_phase(1);
  };
  options.on_step = [&](mg::FitEvent& event) {
    step = event.step - 1;
    in_phase(2);
    step = event.step;
  };
  mg::fit(model, adam, mg::Batches{data(), {.batch_size = 6, .seed = 3}}, options);
  std::vector<float> weights;
  for (const auto& p : model.parameters()) {
    const auto own = p.value().to_vector<float>();
    weights.insert(weights.end(), own.begin(), own.end());
  }
  return weights;
}

template <class F>
int compare(const mg::RankOptions& ranks, F&& train_on) {
  const auto before = ranks.communicator.traffic().bytes;
  const auto together = train_on(ranks);
  const double sent = ranks.communicator.traffic().bytes - before;
  const auto alone = train_on(mg::RankOptions{.communicator = mg::Communicator::alone()});
  double farthest = 0;
  for (std::size_t i = 0; i < alone.size(); ++i) {
    farthest = std::max(farthest,
                        std::abs(static_cast<double>(together[i]) - static_cast<double>(alone[i])));
  }
  const int size = ranks.communicator.size();
  const bool exact = (size & (size - 1)) == 0;
  const bool good = exact ? together == alone : farthest <= 1e-6;
  fmt::print("rank {} of {}: {}, farthest {:.1e}, sent {:.0f} bytes\n", ranks.communicator.rank(),
             size, good ? "the same" : "OTHERS", farthest, sent);
  return good ? 0 : 1;
}

int main(int argc, char** argv) try {
  const std::string what = argc > 1 ? argv[1] : "same";
  const mg::RankOptions ranks{.communicator = mg::mpi_communicator({.deadline = 3})};
  if (what == "same") {
    return compare(ranks, [](const mg::RankOptions& on) { return train({.ranks = on}); });
  }
  if (what == "normalized") {
    return compare(ranks, [](const mg::RankOptions& on) {
      Settings s{.ranks = on, .normalized = true};
      s.ranks.shard_optimizer = on.communicator.size() > 1;
      return train(s);
    });
  }
  if (what == "words" || what == "music" || what == "speakers") {
    const auto training = mg::tests::sample_training(what, true, true);
    return compare(ranks, [&](const mg::RankOptions& on) { return training.run(on); });
  }
  Settings s{.ranks = ranks, .fault = what};
  if (what == "save" && argc > 3) {
    s.folder = argv[2];
    if (argc > 4) {
      s.fault = "kill";
      s.at_step = std::stoll(argv[4]);
    }
    if (argc > 6) {
      s.rank = std::stoi(argv[5]);
      s.phase = std::stoi(argv[6]);
    }
  }
  if (what == "full" && argc > 2) {
    s.folder = argv[2];
    s.at_step = 20;
    s.rank = 0;
  }
  const auto weights = train(s);
  if (what != "save" || s.folder.empty() || ranks.communicator.rank() > 0) return 0;
  std::ofstream(argv[3], std::ios::binary)
      .write(reinterpret_cast<const char*>(weights.data()),
             static_cast<std::streamsize>(weights.size() * sizeof(float)));
} catch (const std::exception& e) {
  fmt::print(stderr, "{}\n", e.what());
  return 1;
}
