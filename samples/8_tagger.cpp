// Where do the accents go? A word is read without them, `eleve`, and each of its letters gets a
// tag: as it is, or an accented one, `élève`. A GRU in both directions scores the tags of each
// letter, and a conditional random field the tags that follow each other, so that the word is
// tagged as a whole: its loss is minus the log-likelihood of a word's tags, its answer the
// likeliest ones (Viterbi). Words are of unequal length; both stop at a word's own last letter.
//
//   8_tagger                                      French
//   8_tagger --language Spanish --word corazon    and puts the accents of a word

#include <fmt/core.h>

#include <algorithm>

#include <maskgrad/maskgrad.hpp>

#include "shared/command_line.hpp"
#include "shared/ranks.hpp"
#include "shared/runs.hpp"
#include "words/accents.hpp"
#include "words/letters.hpp"
#include "words/words.hpp"

namespace mg = maskgrad;

constexpr const char* about = R"(8_tagger: puts the accents into words that were written without.

Data: a word list of Debian, a word a line: the packages wfrench, wngerman, witalian, wspanish,
wswedish put them into /usr/share/dict. Another folder may hold other lists by the same names.)";

struct Settings {
  std::string lists = "/usr/share/dict", language = "French", word;
  std::int64_t words = 20000, units = 64, epochs = 10;
  samples::Seeds seeds;
};

/// Tag 0 leaves a letter as it is; another one writes it so.
struct Tags {
  std::vector<std::string> written{""};

  std::int64_t of(const std::string& letter) {
    if (letter.size() == 1) return 0;
    const auto found = std::find(written.begin(), written.end(), letter);
    const auto tag = found - written.begin();
    if (found == written.end()) written.push_back(letter);
    return tag;
  }
};

struct Words {
  mg::Dataset data;  ///< ids of letters, and their tags
  Tags tags;
};

/// As many words of the list as were asked for, of all parts of it.
Words read_words(const Settings& s) {
  const auto language = std::find_if(words::languages.begin(), words::languages.end(),
                                     [&](const auto& l) { return l.name == s.language; });
  auto lines = words::read_lines(s.lists, *language);
  std::mt19937_64 random(1);
  words::shuffle(lines, random);
  Words result;
  std::vector<std::vector<std::int64_t>> letters, tags;
  for (std::size_t i = 0; i < lines.size() && std::ssize(letters) < s.words; ++i) {
    const auto word = words::accented(lines[i]);
    if (!word || word->plain.size() < 3) continue;
    letters.push_back(words::letter_ids(word->plain));
    tags.emplace_back();
    for (const auto& letter : word->written) tags.back().push_back(result.tags.of(letter));
  }
  result.data = mg::Dataset::from_memory({mg::from_sequences(letters)}, mg::from_sequences(tags));
  return result;
}

/// The share of words in percent of which every letter has its tag.
double words_right(mg::Sequential& model, const mg::CRF& crf, const mg::Dataset& data) {
  double right = 0;
  for (const mg::Batch& batch : mg::Batches{data, {.batch_size = 256, .shuffle = false}}.epoch(0)) {
    const mg::Tensor tags = crf.decode(model.predict(batch.inputs.front()));
    const mg::Tensor wrong = mg::cast(mg::not_equal(tags, batch.target), mg::DType::f32);
    right += mg::sum(mg::cast(mg::equal(mg::sum(wrong, {1}), 0), mg::DType::f32)).item();
  }
  return 100 * right / static_cast<double>(data.size());
}

/// The word with its accents.
std::string answer(mg::Sequential& model, const mg::CRF& crf, const Tags& tags,
                   const std::string& plain) {
  const mg::Tensor ids = mg::from_sequences<std::int64_t>({words::letter_ids(words::clean(plain))});
  const auto chosen = crf.decode(model.predict(ids)).to_vector<std::int64_t>();
  std::string word;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    word += chosen[i] == 0 ? plain.substr(i, 1) : tags.written[static_cast<std::size_t>(chosen[i])];
  }
  return word;
}

double train(const Settings& s, const Words& words, std::uint64_t seed) {
  const auto parts = words.data.split({.fractions = {0.8, 0.1, 0.1}, .seed = 1});
  const std::int64_t tags = std::ssize(words.tags.written);
  mg::Sequential model{
      mg::Embedding{{.input_dim = 27, .output_dim = 32}},
      mg::Bidirectional{mg::GRU{{.units = s.units, .return_sequences = true}}},
      mg::Dropout{{.rate = 0.2}},
      mg::Dense{{.units = tags}},
      mg::CRF{},
  };
  model.build(mg::Spec::ids({mg::any, mg::any}).masked(2), mg::Seed{seed});
  const mg::CRF& crf = *model.layer(4).as<mg::CRF>();
  mg::Adam adam{model.parameters(), {.learning_rate = 5e-3}};
  const mg::History history = mg::fit(
      model, adam, mg::Batches{parts[0], {.max_rows = 1024, .seed = seed, .bucket = true}},
      {
          .loss = [&](const mg::Tensor& tags,
                      const mg::Tensor& scores) { return crf.loss(tags, scores); },
          .epochs = s.epochs,
          .validation = mg::Batches{parts[1], {.batch_size = 256, .shuffle = false}},
          .schedule =
              mg::WarmUp{
                  {.over = 0.5, .then = mg::CosineDecay{{.over = static_cast<double>(s.epochs)}}}},
          .clip_norm = 1,
          .early_stopping = mg::EarlyStoppingOptions{.patience = 3},
          .seed = seed,
          .ranks = samples::ranks(),
      });
  samples::expect_finished(history);
  if (!s.word.empty()) fmt::print("{}: {}\n", s.word, answer(model, crf, words.tags, s.word));
  return words_right(model, crf, parts[2]);
}

int main(int argc, char** argv) try {
  Settings s;
  const samples::CommandLine line(
      "8_tagger", about,
      {
          {"--lists", &s.lists, "the folder of the word lists"},
          {"--language",
           &s.language,
           "whose list",
           {"French", "German", "Italian", "Spanish", "Swedish"}},
          {"--words", &s.words, "of the list, taken by chance"},
          {"--units", &s.units, "of the GRU, in each direction"},
          {"--epochs", &s.epochs, "passes over the training words, at most"},
          {"--word", &s.word, "a word to put the accents into"},
          {"--seed", &s.seeds.first, "of weights, order and dropout; of the first run"},
          {"--seeds", &s.seeds.count, "runs, with one seed after the other"},
      });
  if (!line.read(argc, argv)) return 0;
  const Words words = read_words(s);
  fmt::print("{} words, {} tags\n", words.data.size(), words.tags.written.size());
  samples::over_seeds(s.seeds, "test words right %",
                      [&](std::uint64_t seed) { return train(s, words, seed); });
} catch (const std::exception& e) {
  fmt::print(stderr, "{}\n", e.what());
  return 1;
}
