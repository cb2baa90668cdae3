#pragma once

#include <cstring>

#include <maskgrad/maskgrad.hpp>

namespace fuzz {

namespace mg = maskgrad;

/// A training of a few small steps that writes all that a checkpoint can hold.
struct Training {
  Training() { model.build(mg::Spec::f32({mg::any, mg::any, 1}).masked(2), mg::Seed{1}); }

  /// Goes on from what the folder has; `stop_at` ends it after that step.
  void run(const std::filesystem::path& folder, std::int64_t stop_at = -1) {
    static const std::vector<std::vector<float>> steps{{1, 2, 3}, {4, 5}, {6, 7, 8}, {9}};
    static const mg::Dataset data =
        mg::Dataset::from_memory({mg::from_sequences(steps, {1})}, mg::from_sequences(steps, {1}));
    mg::Adam adam{model.parameters()};
    mg::FitOptions options{.loss = "mean_squared_error", .epochs = 2};
    options.metrics = {"MeanAbsoluteError", {"r2", mg::R2Score{{}}}};
    options.schedule = mg::WarmUp{{.over = 1, .then = mg::Plateau{{.monitor = "loss"}}}};
    options.average = mg::MovingAverageOptions{.decay = 0.9};
    options.early_stopping = mg::EarlyStoppingOptions{.patience = 3, .restore_best = true};
    options.checkpoints = {.folder = folder, .every_epochs = 0, .every_steps = stop_at > 0 ? 1 : 0};
    options.progress = mg::Progress::off;
    options.catch_interrupts = false;
    options.on_step = [&](mg::FitEvent& e) { e.stop = e.step == stop_at; };
    mg::fit(model, adam,
            mg::Batches{data, {.batch_size = 2, .shuffle = false, .window = 2, .prefetch = 0}},
            std::move(options));
  }
  /// Every weight, bit by bit.
  std::vector<std::byte> weights() const {
    std::vector<std::byte> all;
    for (const auto& p : model.parameters()) {
      const auto bytes = mg::detail::array_of(p.value()).bytes;
      all.insert(all.end(), bytes.begin(), bytes.end());
    }
    return all;
  }

  mg::Sequential model{mg::LSTM{{.units = 1, .return_sequences = true, .stateful = true}},
                       mg::Dropout{{.rate = 0.1}}, mg::Dense{{.units = 1}}};
};

}  // namespace fuzz
