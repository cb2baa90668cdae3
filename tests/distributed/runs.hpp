#pragma once

#include <doctest/doctest.h>
#include <algorithm>
#include <cmath>
#include <mutex>

#include "train/toy.hpp"

#include <maskgrad/optim/distributed/run_ranks.hpp>

namespace maskgrad::tests {

/// What a training ended with, bit by bit.
struct Trained {
  std::vector<double> weights;
  std::vector<double> logs;  ///< of each epoch: the loss, the metrics, those of the validation
  std::vector<std::string> notes;

  bool operator==(const Trained& o) const { return weights == o.weights && logs == o.logs; }
};

/// The greatest difference of two lists.
inline double farthest(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(a[i] - b[i]));
  return most;
}

inline const Spec steps_of_three = Spec::f32({any, any, 3}).masked(2);

/// Sequences of 0 to 200 steps.
inline Dataset uneven_data(DType dtype = DType::f32) {
  std::vector<std::int64_t> lengths;
  for (std::int64_t i = 0; i < 36; ++i) lengths.push_back(i % 6 == 0 ? 0 : i * 37 % 201);
  lengths[5] = 200;
  return toy_data(lengths, dtype);
}

inline std::vector<std::int64_t> lengths_of(const Dataset& data,
                                            const std::vector<std::int64_t>& samples) {
  std::vector<std::int64_t> lengths;
  for (const auto s : samples) lengths.push_back(data.length(s));
  return lengths;
}

/// The gradients of all that is trained, one behind the other, that `compute` leaves in the model.
inline std::vector<double> gradients_by(Sequential model,
                                        const std::function<void(Sequential&)>& compute) {
  const SGD sgd(model.parameters(), {.learning_rate = 1});
  compute(model);
  std::vector<double> all;
  for (const auto& p : trainable(model.parameters())) {
    const auto own = p.grad().to_vector<double>();
    all.insert(all.end(), own.begin(), own.end());
  }
  return all;
}

/// All that decides something, in one training; `change` may make it another on a rank.
struct Training {
  DType dtype = DType::f32;
  std::int64_t epochs = 2;
  BatchesOptions batches{.batch_size = 7, .seed = 3};
  std::filesystem::path folder = {};
  std::function<void(FitOptions&)> change = {};
  std::optional<Dataset> data = {};
  std::function<Sequential()> model = {};

  Trained run(const RankOptions& ranks) const {
    Sequential own_model = model ? model() : toy_model(dtype);
    AdamW adam(own_model.parameters(), {.learning_rate = 0.02});
    const Dataset own = data ? *data : uneven_data(dtype);
    FitOptions options{.loss = toy_loss,
                       .epochs = epochs,
                       .metrics = {"SparseCategoricalAccuracy"},
                       .validation = Batches{own, {.batch_size = 16, .shuffle = false}},
                       .schedule = CosineDecay{{.over = 4}},
                       .clip_norm = 0.5,
                       .early_stopping = EarlyStoppingOptions{.patience = 3},
                       .average = MovingAverageOptions{.decay = 0.9},
                       .weight_noise = 0.001,
                       .seed = 9,
                       .checkpoints = {.folder = folder, .every_steps = 2},
                       .progress = Progress::off,
                       .ranks = ranks};
    if (change) change(options);
    const History history = fit(own_model, adam, Batches{own, batches}, options);
    Trained made{weights_of(own_model), {}, history.notes};
    for (const auto& epoch : history.epochs) {
      for (const auto& name : {"loss", "sparse_categorical_accuracy", "val_loss"}) {
        made.logs.push_back(epoch.logs.at("test", name));
      }
      made.logs.push_back(static_cast<double>(epoch.rows));
    }
    return made;
  }
};

/// The training on ranks that are threads; what each ended with.
inline std::vector<Trained> on_ranks(const Training& training, int size, RankOptions ranks = {}) {
  std::vector<Trained> all(static_cast<std::size_t>(size));
  run_ranks(size, [&](const Communicator& communicator) {
    RankOptions own = ranks;
    own.communicator = communicator;
    all[static_cast<std::size_t>(communicator.rank())] = training.run(own);
  });
  return all;
}

}  // namespace maskgrad::tests
