// Who is speaking? Nine men say two Japanese vowels; an utterance is 7 to 29 frames of 12
// coefficients of its spectrum. Any set of sequences with a label each will do as well. A GRU reads
// it in both directions, and the greatest of what it gives at the utterance's own frames decides.
// Its settings were chosen by `--folds 5`, which holds out each fifth of the training utterances in
// turn; the test utterances are seen once, after the last epoch.
//
//   6_speakers --data japanese_vowels.npz --seeds 5
// In PyTorch: nn.GRU(12, 64, bidirectional=True) over packed sequences, the maximum over the frames
// (padding at -inf), nn.Dropout(0.5), nn.Linear(128, classes), Adam with OneCycleLR.

#include <fmt/core.h>

#include <algorithm>

#include <maskgrad/maskgrad.hpp>

#include "shared/command_line.hpp"
#include "shared/ranks.hpp"
#include "shared/runs.hpp"

namespace mg = maskgrad;

constexpr const char* about = R"(6_speakers: tells who spoke a short utterance.

Data: Japanese Vowels (Kudo, Toyama, Shimbo 1999), from github.com/aeon-toolkit/aeon
(aeon/datasets/data/JapaneseVowels, the files without _eq), as an .npz file of
`values` [frames, features], the utterances one after the other, `lengths` [utterances],
`labels` [utterances] from 0, `split` [utterances], and `split_names`: train, test. Any other set
of sequences with a class each, in these arrays, is told apart in the same way.)";

struct Settings {
  std::string data;
  std::int64_t units = 64, batch = 16, epochs = 40, folds = 0;
  double rate = 1e-2, dropout = 0.5;
  samples::Seeds seeds;
};

/// One more than the greatest label.
std::int64_t count_classes(const mg::Dataset& data) {
  std::int64_t most = -1;
  for (const mg::Batch& b : mg::Batches{data, {.shuffle = false}}.epoch(0)) {
    for (const std::int64_t label : b.target.to_vector<std::int64_t>()) {
      most = std::max(most, label);
    }
  }
  return most + 1;
}

/// The share of `unknown` utterances, in percent, that is given to who spoke them.
double train(const Settings& s, mg::Dataset known, mg::Dataset unknown, std::uint64_t seed) {
  const std::int64_t classes = std::max(count_classes(known), count_classes(unknown));
  const auto standard = mg::Standardizer::fit(known);
  known = known.standardized(standard);
  unknown = unknown.standardized(standard);

  const std::int64_t features = known.batch({0}).inputs.front().shape().back();
  mg::Sequential model{
      mg::Bidirectional{mg::GRU{{.units = s.units, .return_sequences = true}}},
      mg::GlobalMaxPooling1D{},
      mg::Dropout{{.rate = s.dropout}},
      mg::Dense{{.units = classes}},
  };
  model.build(mg::Spec::f32({mg::any, mg::any, features}).masked(2), mg::Seed{seed});
  mg::Adam adam{model.parameters(), {.learning_rate = s.rate}};
  const mg::TrainingLoss loss = "sparse_categorical_crossentropy";
  const mg::TrainingMetric accuracy{"accuracy", mg::SparseCategoricalAccuracy{}};
  const mg::History history =
      mg::fit(model, adam, mg::Batches{known, {.batch_size = s.batch, .seed = seed}},
              {
                  .loss = loss,
                  .epochs = s.epochs,
                  .metrics = {accuracy},
                  .schedule = mg::OneCycle{{.over = static_cast<double>(s.epochs)}},
                  .clip_norm = 1,
                  .seed = seed,
                  .progress = s.folds > 0 ? mg::Progress::off : mg::Progress::automatic,
                  .ranks = samples::ranks(),
              });
  samples::expect_finished(history);
  const mg::Batches test{unknown, {.shuffle = false}};
  return 100 * mg::evaluate(model, test, loss, {accuracy}, {}, samples::ranks())
                   .at("6_speakers", "accuracy");
}

/// The mean over the ways to hold out one part in `folds`.
double cross_validate(const Settings& s, const mg::Dataset& known, std::uint64_t seed) {
  double sum = 0;
  for (const auto& fold : known.folds(s.folds, seed)) {
    sum += train(s, fold.training, fold.held_out, seed);
  }
  return sum / static_cast<double>(s.folds);
}

int main(int argc, char** argv) try {
  Settings s;
  const samples::CommandLine line(
      "6_speakers", about,
      {
          {"--data", &s.data, "the utterances", {}, true},
          {"--units", &s.units, "of the GRU, in each direction"},
          {"--batch", &s.batch, "utterances a step"},
          {"--epochs", &s.epochs, "passes over the training utterances"},
          {"--rate", &s.rate, "greatest learning rate of Adam"},
          {"--dropout", &s.dropout, "of what the GRU gives"},
          {"--folds", &s.folds, "instead of the test: N trainings, each without one part in N"},
          {"--seed", &s.seeds.first, "of weights, order, dropout and folds, in the first run"},
          {"--seeds", &s.seeds.count, "runs, with one seed after the other"},
      });
  if (!line.read(argc, argv)) return 0;
  const mg::Dataset data = mg::read_dataset(s.data, {.target = {"labels"}});
  const mg::Dataset known = data.part("train");
  const std::string what = s.folds > 0 ? "held-out accuracy %" : "test accuracy %";
  samples::over_seeds(s.seeds, what, [&](std::uint64_t seed) {
    return s.folds > 0 ? cross_validate(s, known, seed) : train(s, known, data.part("test"), seed);
  });
} catch (const std::exception& e) {
  fmt::print(stderr, "{}\n", e.what());
  return 1;
}
