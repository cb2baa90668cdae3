// Words that nobody has used yet: a causal Transformer reads the words of a list letter by letter
// and learns which letter comes next; then it writes words of its own, each letter as it is drawn.
// What attention has read of a word, its keys and values, is kept, so a letter costs a letter.
//
//   11_generate --words 20 --temperature 0.8
// In PyTorch: nn.TransformerEncoderLayer with a causal and a padding mask; for generation a cache
// of keys and values written by hand.

#include <fmt/core.h>

#include <algorithm>
#include <fstream>

#include <maskgrad/maskgrad.hpp>

#include "shared/command_line.hpp"
#include "shared/ranks.hpp"

namespace mg = maskgrad;
using Ids = std::vector<std::int64_t>;

constexpr const char* about =
    R"(11_generate: learns to spell from a list of words, and goes on by itself.

Data: a text file with a word a line, by default Debian's list of American English (the package
wamerican). Any lines of 1 to 24 bytes will do.)";

struct Settings {
  std::string file = "/usr/share/dict/american-english";
  std::int64_t lines = 40000, features = 64, blocks = 2, batch = 128, epochs = 3, words = 12,
               seed = 1;
  double rate = 3e-3, temperature = 0.8;
};

/// Lines as letters: the k-th different byte of the file is letter k, counted from 1; 0 is the end.
struct Text {
  std::vector<Ids> lines;
  std::string letters = "\n";

  explicit Text(const Settings& s) {
    std::ifstream in(s.file);
    if (!in) mg::fail<mg::FileError>("11_generate", "no {}: see --help for its package", s.file);
    for (std::string line; std::getline(in, line) && std::ssize(lines) < s.lines;) {
      if (line.empty() || line.size() > 24 || line.find('\'') != std::string::npos) continue;
      lines.emplace_back();
      for (const char c : line) {
        if (letters.find(c) == std::string::npos) letters += c;
        lines.back().push_back(static_cast<std::int64_t>(letters.find(c)));
      }
    }
    if (lines.empty()) mg::fail<mg::FileError>("11_generate", "{} has no such lines", s.file);
  }
};

/// Each line behind the letter 0, padded to the longest; `later`: each letter's next one, at the
/// end 0.
mg::Tensor batch_of(std::span<const Ids> lines, bool later) {
  Ids lengths, ids;
  for (const auto& line : lines) lengths.push_back(std::ssize(line) + 1);
  const auto longest = *std::max_element(lengths.begin(), lengths.end());
  for (const auto& line : lines) {
    const auto end = std::ssize(ids) + longest;
    if (!later) ids.push_back(0);
    ids.insert(ids.end(), line.begin(), line.end());
    ids.resize(static_cast<std::size_t>(end), 0);
  }
  return mg::tensor(ids, {std::ssize(lines), longest})
      .with_mask(mg::Mask::from_lengths(lengths, longest));
}

int main(int argc, char** argv) try {
  Settings s;
  const samples::CommandLine line(
      "11_generate", about,
      {
          {"--file", &s.file, "a word a line"},
          {"--lines", &s.lines, "of the file that are read"},
          {"--features", &s.features, "of a letter, a multiple of 4"},
          {"--blocks", &s.blocks, "of the Transformer"},
          {"--batch", &s.batch, "words a step"},
          {"--epochs", &s.epochs, "passes over the words"},
          {"--rate", &s.rate, "greatest learning rate of Adam"},
          {"--words", &s.words, "to be written"},
          {"--temperature", &s.temperature, "below 1 likelier letters, above 1 bolder ones"},
          {"--seed", &s.seed, "of weights, order and draws"},
      });
  if (!line.read(argc, argv)) return 0;
  Text text(s);
  const auto seed = static_cast<std::uint64_t>(s.seed);
  const std::int64_t letters = std::ssize(text.letters);
  mg::Functional model;
  const auto ids = model.input("letters");
  auto x = model.add(mg::Embedding{{.input_dim = letters, .output_dim = s.features}}, {ids});
  x = model.add(mg::Add{}, {x, model.add(mg::PositionEmbedding{{.sequence_length = 26}}, {x})});
  for (std::int64_t i = 0; i < s.blocks; ++i) {
    x = model.add(mg::TransformerEncoder{{.intermediate_dim = 4 * s.features,
                                          .num_heads = 4,
                                          .normalize_first = true,
                                          .use_causal_mask = true}},
                  {x});
  }
  model.outputs(
      {model.add(mg::Dense{{.units = letters}}, {model.add(mg::LayerNormalization{}, {x})})});
  model.build({mg::Spec::ids({mg::any, mg::any}).masked(2)}, mg::Seed{seed});
  mg::Adam adam{model.parameters(), {.learning_rate = s.rate}};

  for (std::int64_t epoch = 0; epoch < s.epochs; ++epoch) {
    mg::Mean loss_mean;
    const auto order = mg::random::permutation(
        std::ssize(text.lines), mg::Seed{seed}.of(static_cast<std::uint64_t>(epoch)));
    for (std::int64_t i = 0; i < std::ssize(order); i += s.batch) {
      std::vector<Ids> some;
      for (auto k = i; k < std::min(i + s.batch, std::ssize(order)); ++k) {
        some.push_back(text.lines[static_cast<std::size_t>(order[static_cast<std::size_t>(k)])]);
      }
      Ids lengths;
      for (const Ids& line : some) lengths.push_back(std::ssize(line));
      mg::ShardedStep step{model.parameters(), samples::ranks()};
      step.each_shard(lengths, [&](const Ids& rows) {
        std::vector<Ids> own;
        for (const auto row : rows) own.push_back(some[static_cast<std::size_t>(row)]);
        return mg::sparse_categorical_crossentropy(batch_of(own, true),
                                                   model({batch_of(own, false)})[0]);
      });
      const auto total = step.finish();
      mg::clip_by_global_norm(model.parameters(), 1);
      adam.step();
      loss_mean.update(total.value, total.count);
    }
    adam.set_learning_rate(adam.learning_rate() / 2);
    fmt::print("epoch {}: {:.3f} nats a letter\n", epoch + 1, loss_mean.value());
    std::fflush(stdout);
  }

  for (std::int64_t word = 0; word < s.words; ++word) {
    mg::generate(model, mg::zeros({1, 1}, mg::DType::i64),
                 {.max_steps = 25,
                  .temperature = s.temperature,
                  .stop = {0},
                  .seed = mg::Seed{seed}.of(static_cast<std::uint64_t>(word)),
                  .on_step = [&](std::span<const std::int64_t> ids) {
                    std::fputc(text.letters[static_cast<std::size_t>(ids[0])], stdout);
                    std::fflush(stdout);
                  }});
  }
} catch (const std::exception& e) {
  fmt::print(stderr, "{}\n", e.what());
  return 1;
}
