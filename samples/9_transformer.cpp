// The words of 2_words.cpp read by a Transformer: every letter looks at all letters of its own
// word, at none of another and at no padding, since attention keeps to the mask. Positions are
// counted in letters of the word. The learning rate warms up and then falls by half a wave.
//
//   9_transformer --seeds 3

#include <fmt/core.h>

#include <maskgrad/maskgrad.hpp>

#include "shared/command_line.hpp"
#include "shared/ranks.hpp"
#include "shared/runs.hpp"
#include "words/letters.hpp"
#include "words/naive_bayes.hpp"
#include "words/words.hpp"

namespace mg = maskgrad;

constexpr const char* about = R"(9_transformer: tells which of six languages a word is from.

Data: the word lists of Debian's packages wamerican, wfrench, wngerman, witalian, wspanish and
wswedish, a word a line, in /usr/share/dict. Another folder may hold other lists by the same names.)";

struct Settings {
  std::string lists = "/usr/share/dict";
  std::int64_t words = 20000, features = 64, blocks = 2, heads = 4, epochs = 8;
  double rate = 2e-3, dropout = 0.1;
  samples::Seeds seeds;
};

/// Words as letters of unequal length; no padding is made.
mg::Dataset dataset(const std::vector<words::Example>& examples) {
  std::vector<std::vector<std::int64_t>> letters;
  std::vector<std::int64_t> languages;
  for (const auto& example : examples) {
    letters.push_back(words::letter_ids(example.word));
    languages.push_back(example.language);
  }
  return mg::Dataset::from_memory({mg::from_sequences(letters)},
                                  mg::tensor(languages, {std::ssize(languages)}));
}

mg::Functional transformer(const Settings& s) {
  mg::Functional model;
  const auto letters = model.input("letters");
  auto x = model.add(mg::Embedding{{.input_dim = 27, .output_dim = s.features}}, {letters});
  x = model.add(mg::Add{}, {x, model.add(mg::SinePositionEncoding{}, {x})});
  for (std::int64_t i = 0; i < s.blocks; ++i) {
    x = model.add(mg::TransformerEncoder{{.intermediate_dim = 2 * s.features,
                                          .num_heads = s.heads,
                                          .dropout = s.dropout,
                                          .normalize_first = true}},
                  {x});
  }
  x = model.add(mg::LayerNormalization{}, {x});
  x = model.add(mg::GlobalAveragePooling1D{}, {x});
  model.outputs({model.add(mg::Dense{{.units = words::languages.size()}}, {x})});
  return model;
}

double train(const Settings& s, const mg::Dataset& known, const mg::Dataset& unknown,
             std::uint64_t seed) {
  const auto parts = known.split({.fractions = {0.95, 0.05}, .seed = seed});
  mg::Functional model = transformer(s);
  model.build({mg::Spec::ids({mg::any, mg::any}).masked(2)}, mg::Seed{seed});
  mg::AdamW adam{model.parameters(), {.learning_rate = s.rate, .decay_biases = false}};
  const mg::TrainingLoss loss = "sparse_categorical_crossentropy";
  const mg::TrainingMetric accuracy{"accuracy", mg::SparseCategoricalAccuracy{}};
  const auto epochs = static_cast<double>(s.epochs);
  const mg::History history =
      mg::fit(model, adam, mg::Batches{parts[0], {.max_rows = 1024, .seed = seed, .bucket = true}},
              {
                  .loss = loss,
                  .epochs = s.epochs,
                  .metrics = {accuracy},
                  .validation = mg::Batches{parts[1], {.max_rows = 4096, .shuffle = false}},
                  .schedule = mg::WarmUp{{.over = 1, .then = mg::CosineDecay{{.over = epochs}}}},
                  .clip_norm = 1,
                  .early_stopping = mg::EarlyStoppingOptions{.patience = 3},
                  .seed = seed,
                  .ranks = samples::ranks(),
              });
  samples::expect_finished(history);
  const mg::Batches test{unknown, {.max_rows = 4096, .shuffle = false}};
  return 100 * mg::evaluate(model, test, loss, {accuracy}, {}, samples::ranks())
                   .at("9_transformer", "accuracy");
}

int main(int argc, char** argv) try {
  Settings s;
  const samples::CommandLine line(
      "9_transformer", about,
      {
          {"--lists", &s.lists, "the folder of the word lists"},
          {"--words", &s.words, "of each list, taken by chance"},
          {"--features", &s.features, "of a letter"},
          {"--blocks", &s.blocks, "of attention and a feedforward part"},
          {"--heads", &s.heads, "of the attention; features is a multiple of it"},
          {"--epochs", &s.epochs, "passes over the training words, at most"},
          {"--rate", &s.rate, "greatest learning rate of AdamW"},
          {"--dropout", &s.dropout, "in the blocks"},
          {"--seed", &s.seeds.first, "of weights, order and dropout; of the first run"},
          {"--seeds", &s.seeds.count, "runs, with one seed after the other"},
      });
  if (!line.read(argc, argv)) return 0;
  words::Options options;
  options.folder = s.lists;
  options.per_language = static_cast<std::size_t>(s.words);
  const words::Data data = words::load(options);
  const double bayes = words::NaiveBayes(data.train).accuracy(data.test);
  fmt::print("{} words to learn from, {} to test on; letter-trigram naive Bayes {:.2f} %\n",
             data.train.size(), data.test.size(), 100 * bayes);
  const mg::Dataset known = dataset(data.train), unknown = dataset(data.test);
  samples::over_seeds(s.seeds, "test accuracy %",
                      [&](std::uint64_t seed) { return train(s, known, unknown, seed); });
} catch (const std::exception& e) {
  fmt::print(stderr, "{}\n", e.what());
  return 1;
}
