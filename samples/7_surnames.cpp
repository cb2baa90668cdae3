// Which language is a surname from? A GRU reads the letters in both directions; the last output of
// each, at the name's own last letter and at its first, decides. Half the names are Russian, and
// some stand under several languages, so that nobody can be right about all. The settings were
// chosen by `--hold-out 0.15` from the training names.
//
//   7_surnames --data names.npz --seeds 3
// In PyTorch: nn.Embedding(57, 32), nn.GRU(32, 128, bidirectional=True) over packed sequences,
// nn.Dropout(0.5), nn.Linear(256, 18), Adam with OneCycleLR.

#include <fmt/core.h>

#include <maskgrad/maskgrad.hpp>

#include "shared/command_line.hpp"
#include "shared/ranks.hpp"
#include "shared/runs.hpp"

namespace mg = maskgrad;

constexpr const char* about = R"(7_surnames: tells from which of 18 languages a surname is.

Data: the names of PyTorch's tutorial, from github.com/spro/practical-pytorch (data/names/*.txt), as
an .npz file of `values` [letters, 1], the names one after the other, accents stripped, each letter
as its number from 1, `lengths` [names], `labels` [names] from 0, `split` [names], and
`split_names`: train, test.)";

constexpr std::int64_t letters = 57, languages = 18;  // no letter is 0

struct Settings {
  std::string data;
  std::int64_t units = 128, batch = 64, epochs = 10;
  double rate = 5e-3, dropout = 0.5, hold_out = 0;
  samples::Seeds seeds;
};

/// The share of `unknown` names, in percent, that is given to its language.
double train(const Settings& s, const mg::Dataset& known, const mg::Dataset& unknown,
             std::uint64_t seed) {
  mg::Sequential model{
      mg::Embedding{{.input_dim = letters, .output_dim = 32}},
      mg::Bidirectional{mg::GRU{{.units = s.units}}},
      mg::Dropout{{.rate = s.dropout}},
      mg::Dense{{.units = languages}},
  };
  model.build(mg::Spec::ids({mg::any, mg::any}).masked(2), mg::Seed{seed});
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
                  .ranks = samples::ranks(),
              });
  samples::expect_finished(history);
  const mg::Batches test{unknown, {.batch_size = 256, .shuffle = false}};
  return 100 * mg::evaluate(model, test, loss, {accuracy}, {}, samples::ranks())
                   .at("7_surnames", "accuracy");
}

int main(int argc, char** argv) try {
  Settings s;
  const samples::CommandLine line(
      "7_surnames", about,
      {
          {"--data", &s.data, "the names", {}, true},
          {"--units", &s.units, "of the GRU, in each direction"},
          {"--batch", &s.batch, "names a step"},
          {"--epochs", &s.epochs, "passes over the training names"},
          {"--rate", &s.rate, "greatest learning rate of Adam"},
          {"--dropout", &s.dropout, "of what the GRU gives"},
          {"--hold-out", &s.hold_out, "instead of the test: a share of the training names"},
          {"--seed", &s.seeds.first, "of weights, order and dropout, in the first run"},
          {"--seeds", &s.seeds.count, "runs, with one seed after the other"},
      });
  if (!line.read(argc, argv)) return 0;
  const mg::Dataset data = mg::read_dataset(
      s.data, {.inputs = {{.name = "values", .dtype = mg::DType::i64}}, .target = {"labels"}});
  mg::Dataset known = data.part("train"), unknown = data.part("test");
  std::string what = "test accuracy %";
  if (s.hold_out > 0) {
    const auto parts = known.split({.fractions = {1 - s.hold_out, s.hold_out}, .seed = 1});
    known = parts[0], unknown = parts[1], what = "held-out accuracy %";
  }
  samples::over_seeds(s.seeds, what,
                      [&](std::uint64_t seed) { return train(s, known, unknown, seed); });
} catch (const std::exception& e) {
  fmt::print(stderr, "{}\n", e.what());
  return 1;
}
