// Who is speaking, while the speaker is still speaking? A causal convolution and a GRU are trained
// on whole utterances; then each of the test utterances comes chunk by chunk, as a microphone gives
// it, and a stream says after each chunk who it is. The stream gives what the whole would, and its
// time contract says how late.
//
//   12_listen --data japanese_vowels.npz
// In PyTorch: a class of one's own that keeps the convolution's last steps and the GRU's state.

#include <fmt/core.h>

#include <maskgrad/maskgrad.hpp>

#include "shared/command_line.hpp"
#include "shared/ranks.hpp"
#include "shared/runs.hpp"

namespace mg = maskgrad;

constexpr const char* about = R"(12_listen: tells who speaks, chunk by chunk.

Data: as 6_speakers, Japanese Vowels (Kudo, Toyama, Shimbo 1999) from github.com/aeon-toolkit/aeon,
as an .npz file of `values` [frames, features], the utterances one after the other, `lengths`
[utterances], `labels` [utterances] from 0, `split` [utterances], and `split_names`: train, test.)";

struct Settings {
  std::string data;
  std::int64_t units = 64, batch = 16, epochs = 30, chunk = 4, look_ahead = 0, seed = 1;
  double rate = 1e-2;
};

std::int64_t greatest_label(const mg::Dataset& data) {
  std::int64_t most = 0;
  for (const mg::Batch& b : mg::Batches{data, {.shuffle = false}}.epoch(0)) {
    most = std::max(most, static_cast<std::int64_t>(mg::max(b.target).item()));
  }
  return most;
}

/// After each chunk of the utterances of `data`, all of them at once, how many are told right.
void listen(const mg::Sequential& model, const mg::Dataset& data, const Settings& s) {
  const mg::Evaluate evaluate;
  std::vector<std::int64_t> everybody(static_cast<std::size_t>(data.size()));
  for (std::size_t i = 0; i < everybody.size(); ++i) everybody[i] = static_cast<std::int64_t>(i);
  const mg::Batch all = data.batch(everybody);
  const mg::Tensor& x = all.inputs[0];
  mg::Stream stream(model, {.sequences = data.size()});
  fmt::print("latency: {} frames behind what is heard\n", stream.latency());
  const auto report = [&](const mg::Tensor& logits, const std::string& heard) {
    mg::SparseCategoricalAccuracy accuracy;
    accuracy.update(all.target, logits);
    fmt::print("{:>14}: {:5.1f} % of {:.0f} utterances are told right\n", heard,
               100 * accuracy.value(), accuracy.count());
  };
  for (std::int64_t begin = 0; begin < x.shape()[1]; begin += s.chunk) {
    const auto end = std::min(begin + s.chunk, x.shape()[1]);
    const mg::Tensor logits = stream.push(mg::slice(x, 1, begin, end));
    report(logits, fmt::format("{} frames", end));
  }
  report(stream.finish(everybody)[0], "all");
  report(model.predict(x), "as a whole");
}

int main(int argc, char** argv) try {
  Settings s;
  const samples::CommandLine line(
      "12_listen", about,
      {
          {"--data", &s.data, "the utterances", {}, true},
          {"--units", &s.units, "of the GRU"},
          {"--batch", &s.batch, "utterances a step"},
          {"--epochs", &s.epochs, "passes over the training utterances"},
          {"--rate", &s.rate, "greatest learning rate of Adam"},
          {"--chunk", &s.chunk, "frames that come at a time"},
          {"--look-ahead", &s.look_ahead, "1: the convolution sees two frames ahead"},
          {"--seed", &s.seed, "of weights and order"},
      });
  if (!line.read(argc, argv)) return 0;
  if (s.chunk < 1)
    mg::fail<mg::OptionError>("12_listen", "--chunk is 0; expected 1 or more frames");
  const mg::Dataset data = mg::read_dataset(s.data, {.target = {"labels"}});
  const auto standard = mg::Standardizer::fit(data.part("train"));
  const mg::Dataset known = data.part("train").standardized(standard);
  const mg::Dataset unknown = data.part("test").standardized(standard);

  const auto features = known.batch({0}).inputs.front().shape().back();
  const auto seed = static_cast<std::uint64_t>(s.seed);
  mg::Sequential model{
      mg::MaskedConv1D{{.filters = s.units,
                        .kernel_size = 5,
                        .padding = s.look_ahead == 0 ? "causal" : "same",
                        .activation = "relu"}},
      mg::Dropout{{.rate = 0.3}},
      mg::GRU{{.units = s.units}},
      mg::Dense{{.units = 1 + std::max(greatest_label(known), greatest_label(unknown))}},
  };
  model.build(mg::Spec::f32({mg::any, mg::any, features}).masked(2), mg::Seed{seed});
  mg::Adam adam{model.parameters(), {.learning_rate = s.rate}};
  samples::expect_finished(
      mg::fit(model, adam, mg::Batches{known, {.batch_size = s.batch, .seed = seed}},
              {.loss = "sparse_categorical_crossentropy",
               .epochs = s.epochs,
               .schedule = mg::OneCycle{{.over = static_cast<double>(s.epochs)}},
               .clip_norm = 1,
               .seed = seed,
               .ranks = samples::ranks()}));
  listen(model, unknown, s);
} catch (const std::exception& e) {
  fmt::print(stderr, "{}\n", e.what());
  return 1;
}
