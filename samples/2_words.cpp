// Which language is a word from? A masked GRU reads the letters of words of unequal length, padded
// to one size; the padding, id 0, is marked by Embedding's mask_zero and never computed. A naive
// Bayes on letter trigrams, on the same split, is there to compare with.
//
//   2_words [WORD...]                trains, then answers the words given, or those typed
//   mpirun -n 4 2_words [WORD...]    the same on four processes

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <sstream>

#include <maskgrad/maskgrad.hpp>

#include "shared/ranks.hpp"
#include "words/confusion.hpp"
#include "words/letters.hpp"
#include "words/naive_bayes.hpp"
#include "words/words.hpp"

namespace mg = maskgrad;
using Examples = std::span<const words::Example>;

constexpr int epochs = 8, batch_size = 128;

/// Words as ids [words, longest]: a = 1 ... z = 26, 0 behind the end.
mg::Tensor ids_of(Examples batch) {
  std::size_t longest = 1;
  for (const auto& e : batch) longest = std::max(longest, e.word.size());
  std::vector<std::int64_t> ids(batch.size() * longest);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    for (std::size_t k = 0; k < batch[i].word.size(); ++k) {
      ids[i * longest + k] = batch[i].word[k] - 'a' + 1;
    }
  }
  return mg::tensor(ids,
                    {static_cast<std::int64_t>(batch.size()), static_cast<std::int64_t>(longest)});
}

mg::Tensor languages_of(Examples batch) {
  std::vector<std::int64_t> ids;
  for (const auto& e : batch) ids.push_back(e.language);
  return mg::tensor(ids, {static_cast<std::int64_t>(batch.size())});
}

std::vector<std::int64_t> lengths_of(Examples batch) {
  std::vector<std::int64_t> lengths;
  for (const auto& e : batch) lengths.push_back(static_cast<std::int64_t>(e.word.size()));
  return lengths;
}

std::vector<words::Example> chosen(Examples batch, const std::vector<std::int64_t>& rows) {
  std::vector<words::Example> own;
  for (const auto row : rows) own.push_back(batch[static_cast<std::size_t>(row)]);
  return own;
}

template <class F>
void for_each_batch(Examples examples, F f) {
  for (std::size_t i = 0; i < examples.size(); i += batch_size) {
    f(examples.subspan(i, std::min<std::size_t>(batch_size, examples.size() - i)));
  }
}

/// A pass over the training words; prints its line. Each rank computes its share of each batch.
void train_epoch(int epoch, mg::Sequential& model, mg::Adam& adam, Examples train,
                 const mg::RankOptions& ranks) {
  const auto start = std::chrono::steady_clock::now();
  mg::Mean loss_mean;
  mg::SparseCategoricalAccuracy accuracy;
  std::int64_t letters = 0, positions = 0;
  for_each_batch(train, [&](Examples batch) {
    mg::ShardedStep step{model.parameters(), ranks};
    step.each_shard(lengths_of(batch), [&](const std::vector<std::int64_t>& rows) {
      const std::vector<words::Example> own = chosen(batch, rows);
      const mg::Tensor languages = languages_of(own), logits = model(ids_of(own));
      accuracy.update(languages, logits);
      return mg::sparse_categorical_crossentropy(languages, logits);
    });
    const auto total = step.finish();
    mg::clip_by_global_norm(model.parameters(), 1.0);
    adam.step();
    loss_mean.update(total.value, total.count);
    std::int64_t longest = 1;
    for (const auto length : lengths_of(batch)) {
      letters += length;
      longest = std::max(longest, length);
    }
    positions += longest * std::ssize(batch);
  });
  mg::merge_ranks(accuracy, ranks.communicator);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  fmt::print(
      "epoch {}  loss {:.4f}  accuracy {:5.2f} %  {:6.0f} words/s  padding never computed {:.0f} "
      "%\n",
      epoch, loss_mean.value(), 100 * accuracy.value(),
      static_cast<double>(train.size()) / seconds.count(),
      100 * (1 - static_cast<double>(letters) / static_cast<double>(positions)));
  std::fflush(stdout);
}

/// The likeliest language of each word.
std::vector<int> guesses(mg::Sequential& model, Examples examples) {
  std::vector<int> all;
  for_each_batch(examples, [&](Examples batch) {
    const mg::Tensor best = mg::argmax(model.predict(ids_of(batch)), -1);
    for (auto id : best.to_vector<std::int64_t>()) all.push_back(static_cast<int>(id));
  });
  return all;
}

void answer(mg::Sequential& model, const std::string& word) {
  const std::string letters = words::clean(word);
  if (letters.empty()) {
    fmt::print("{}: no word of letters\n", word);
    return;
  }
  const words::Example example{letters, 0};
  const mg::Tensor p = mg::softmax(model.predict(ids_of({&example, 1})));
  const auto best = mg::argmax(p, -1).item({0});
  fmt::print("{}: {} ({:.0f} %)\n", word, words::languages[static_cast<std::size_t>(best)].name,
             100 * p.item({0, static_cast<std::int64_t>(best)}));
}

int main(int argc, char** argv) try {
  const mg::RankOptions ranks = samples::ranks();
  words::Data data = words::load();
  fmt::print("{} words of six languages to learn from, {} to test on\n", data.train.size(),
             data.test.size());

  mg::Sequential model{
      mg::Embedding{{.input_dim = 27, .output_dim = 32, .mask_zero = true}},
      mg::GRU{{.units = 128}},
      mg::Dropout{{.rate = 0.3}},
      mg::Dense{{.units = words::languages.size()}},
  };
  model.build(mg::Spec::ids({mg::any, mg::any}), mg::Seed{1});
  mg::Adam adam{model.parameters(), {.learning_rate = 4e-3}};
  std::mt19937_64 random(1);
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    if (epoch > epochs / 2) adam.set_learning_rate(adam.learning_rate() / 2);
    words::shuffle(data.train, random);
    train_epoch(epoch, model, adam, data.train, ranks);
  }

  words::Confusion table;
  const auto guessed = guesses(model, data.test);
  for (std::size_t i = 0; i < guessed.size(); ++i) table.add(data.test[i].language, guessed[i]);
  std::ostringstream text;
  text << table;
  const double bayes = words::NaiveBayes(data.train).accuracy(data.test);
  fmt::print("\n{}\ntest accuracy {:.2f} %, letter-trigram naive Bayes {:.2f} %\n", text.str(),
             100 * table.accuracy(), 100 * bayes);

  if (ranks.communicator.rank() > 0) return 0;
  for (int i = 1; i < argc; ++i) answer(model, argv[i]);
  if (argc > 1) return 0;
  if (isatty(0)) fmt::print("\nType words, one a line (Ctrl-D ends):\n");
  for (std::string word; std::getline(std::cin, word);) answer(model, word);
} catch (const std::exception& e) {
  fmt::print(stderr, "{}\n", e.what());
  return 1;
}
