#include <doctest/doctest.h>

#include <cstring>
#include <stdexcept>

#include "throws.hpp"
#include "train/toy.hpp"

namespace maskgrad::tests::test_resume {
namespace {

struct Crash : std::runtime_error {
  Crash() : std::runtime_error("crash") {}
};

/// A way to train; each run makes all of it anew, as a new process would.
struct Way {
  std::string name;
  std::string optimizer = "Adam", optimizer_options = "{}";
  BatchesOptions batches = {.batch_size = 8, .seed = 3};
  std::function<void(FitOptions&)> change = [](FitOptions&) {};
  bool stateful = false;
};

Sequential model_for(const Way& way) {
  if (!way.stateful) return toy_model();
  Sequential model{GRU{{.units = 4, .return_sequences = true, .stateful = true}},
                   Dropout{{.rate = 0.2}}, BatchNormalization{{}}, Dense{{.units = 3}}};
  model.build(Spec::f32({any, any, 3}).masked(2), Seed{1});
  return model;
}

struct Outcome {
  std::vector<double> weights;
  History history;
  bool crashed = false;
};

/// Trains; with `crash_at` the run dies in that step, before anything of it is saved.
Outcome train(const Way& way, const std::filesystem::path& folder, std::int64_t crash_at = -1,
              std::int64_t every_steps = 3) {
  Dataset data = toy_data();
  if (way.stateful) {
    data = data.map([](Batch b) {
      b.target = b.inputs[0];
      return b;
    });
  }
  Sequential model = model_for(way);
  const auto optimizer = make_optimizer(way.optimizer, model.parameters(), way.optimizer_options);
  FitOptions options{.loss = way.stateful ? "mean_squared_error" : toy_loss,
                     .epochs = 4,
                     .validation = Batches{data, {.batch_size = 16, .shuffle = false}},
                     .checkpoints = {.folder = folder, .every_steps = every_steps},
                     .progress = Progress::off};
  way.change(options);
  const auto before = options.on_step;
  options.on_step = [&, before](FitEvent& e) {
    if (before) before(e);
    if (e.step == crash_at) throw Crash();
  };
  Outcome outcome;
  try {
    outcome.history = fit(model, *optimizer, Batches{data, way.batches}, std::move(options));
  } catch (const Crash&) {
    outcome.crashed = true;
  }
  outcome.weights = weights_of(model);
  return outcome;
}

/// The records without what depends on the clock.
std::vector<EpochRecord> without_times(std::vector<EpochRecord> records) {
  for (auto& r : records) {
    r.logs.set("seconds", 0);
    r.logs.set("rows_per_second", 0);
  }
  return records;
}

bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

std::vector<Way> ways() {
  return {
      {.name = "plain, with dropout, shuffled"},
      {.name = "momentum and micro-batches",
       .optimizer = "SGD",
       .optimizer_options = R"({"momentum": 0.9})",
       .batches = {.max_rows = 30, .seed = 1, .bucket = true},
       .change =
           [](FitOptions& o) {
             o.micro_batches = 3;
             o.clip_norm = 0.5;
             o.clip_value = 0.2;
           }},
      {.name = "schedule, moving average, weight noise, seed",
       .optimizer = "AdamW",
       .change =
           [](FitOptions& o) {
             o.schedule = WarmUp{{.over = 1.5, .then = CosineDecay{{.over = 4}}}};
             o.average = MovingAverageOptions{.decay = 0.9};
             o.weight_noise = 0.05;
             o.seed = 17;
             o.metrics = {"SparseCategoricalAccuracy", {"nll", TrainingLoss{toy_loss}}};
           }},
      {.name = "plateau and early stopping",
       .optimizer = "Nadam",
       .optimizer_options = R"({"learning_rate": 0.2})",
       .change =
           [](FitOptions& o) {
             o.epochs = 8;
             o.schedule = Plateau{{.patience = 1, .min_delta = 0.1}};
             o.early_stopping = EarlyStoppingOptions{.patience = 3, .min_delta = 0.05};
           }},
      {.name = "a rate that a callback changes",
       .optimizer = "RMSprop",
       .change =
           [](FitOptions& o) {
             o.on_step = [](FitEvent& e) {
               e.optimizer.set_learning_rate(0.01 / static_cast<double>(e.step));
             };
           }},
      {.name = "windows that carry state, with batch statistics",
       .batches = {.batch_size = 8, .seed = 2, .window = 3},
       .stateful = true},
  };
}

TEST_CASE("a run that crashed and went on has the weights of one that never did, bit by bit") {
  for (const auto& way : ways()) {
    CAPTURE(way.name);
    const auto whole = train(way, "");
    REQUIRE(!whole.crashed);
    for (const std::int64_t crash_at : {2, 7, 10}) {
      CAPTURE(crash_at);
      const files::TemporaryFolder folder;
      const auto first = train(way, folder.path(), crash_at);
      REQUIRE(first.crashed);
      const auto second = train(way, folder.path());
      CHECK(same_bits(second.weights, whole.weights));
      CHECK(without_times(second.history.epochs) == without_times(whole.history.epochs));
      CHECK(second.history.best_epoch == whole.history.best_epoch);
      CHECK(second.history.stopped_early == whole.history.stopped_early);
    }
  }
}

TEST_CASE("a run that crashes again and again, saving each step, comes to the same end") {
  const Way way = ways()[2];
  const auto whole = train(way, "");
  const files::TemporaryFolder folder;
  for (std::int64_t step = 2; step < 21; step += 3) {
    CHECK(train(way, folder.path(), step, 1).crashed);
  }
  CHECK(same_bits(train(way, folder.path()).weights, whole.weights));
}

TEST_CASE("a run that is done says so, and gives the same model and history again") {
  for (const auto& way : {ways()[2], ways()[3]}) {
    const files::TemporaryFolder folder;
    const auto first = train(way, folder.path()), again = train(way, folder.path());
    CHECK(same_bits(again.weights, first.weights));
    CHECK(again.history.epochs == first.history.epochs);
    REQUIRE(again.history.notes.size() == 1);
    CHECK(again.history.notes[0].find("the training was done") != std::string::npos);
    CHECK(again.history.first_epoch == static_cast<std::int64_t>(first.history.epochs.size()));
  }
}

TEST_CASE("more epochs go on where a run was done") {
  Way way = ways()[0];
  const files::TemporaryFolder folder;
  train(way, folder.path());
  way.change = [](FitOptions& o) { o.epochs = 6; };
  const auto longer = train(way, folder.path());
  CHECK(longer.history.epochs.size() == 6);
  CHECK(longer.history.notes[0].find("epoch 5, batch 0") != std::string::npos);
  CHECK(same_bits(longer.weights, train(way, "").weights));
}

TEST_CASE("other settings are said, and refused where the batches would be others") {
  Way way = ways()[0];
  const files::TemporaryFolder folder;
  CHECK(train(way, folder.path(), 7).crashed);  // step 6: batch 1 of epoch 2
  const auto at_step_6 = folder.count();
  Way other = way;
  other.batches.batch_size = 10;
  CHECK(throws<FileError>([&] { train(other, folder.path()); }, "fit: ",
                          "in the middle of an epoch of other batches; nothing was changed",
                          "/batches/batch_size: 8, now 10"));
  CHECK(folder.count() == at_step_6);
  other = way;
  other.optimizer_options = R"({"learning_rate": 0.02})";
  other.change = [](FitOptions& o) {
    o.metrics = {"SparseCategoricalAccuracy"};
    o.loss = TrainingLoss{toy_loss, R"({"reduction": "per_sequence"})"};
  };
  const auto history = train(other, folder.path()).history;
  std::string notes;
  for (const auto& note : history.notes) notes += note + "\n";
  CHECK(notes.find("goes on with other settings: /optimizer/config/learning_rate was 0.001, now "
                   "0.02") != std::string::npos);
  CHECK(notes.find("/metrics") != std::string::npos);
  CHECK(
      notes.find("goes on with another loss: sparse_categorical_crossentropy: per_sequence, which "
                 "was sparse_categorical_crossentropy: mean") != std::string::npos);
  CHECK(history.last("learning_rate") == 0.02);
}

}  // namespace
}  // namespace maskgrad::tests::test_resume
