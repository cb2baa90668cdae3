#pragma once

#include <string>

#include <maskgrad/maskgrad.hpp>

// The trainings of the samples words, music and speakers: their models, and random data as long as
// theirs.

namespace maskgrad::tests {

struct SampleTraining {
  Dataset data;
  std::function<Sequential()> model;
  TrainingLoss loss;
  std::int64_t batch_size;

  /// 50 steps with all that decides something; the weights, then the logs.
  std::vector<double> run(const RankOptions& ranks) const {
    Sequential own = model();
    AdamW adam{own.parameters(), {.learning_rate = 4e-3}};
    FitOptions options{.loss = loss,
                       .epochs = 2,
                       .validation = Batches{data, {.batch_size = 40, .shuffle = false}},
                       .schedule = OneCycle{{.over = 2}},
                       .clip_norm = 1,
                       .average = MovingAverageOptions{.decay = 0.9},
                       .seed = 2,
                       .progress = Progress::off,
                       .ranks = ranks};
    options.on_step = [](FitEvent& event) { event.stop = event.step == 50; };
    const History history =
        fit(own, adam, Batches{data, {.batch_size = batch_size, .seed = 3}}, options);
    std::vector<double> all;
    for (const auto& p : own.parameters()) {
      const auto values = cast(p.value(), DType::f64).to_vector<double>();
      all.insert(all.end(), values.begin(), values.end());
    }
    for (const auto& epoch : history.epochs) {
      for (const auto* name : {"loss", "val_loss"}) all.push_back(epoch.logs.at("run", name));
    }
    return all;
  }
};

namespace detail_of_trainings {

/// Numbers from 0 to 1, one after the other.
struct Numbers {
  std::uint64_t at = 0;
  double next() { return random::unit_at(Seed{7}, at++); }
  std::int64_t next(std::int64_t from, std::int64_t below) {
    return from + static_cast<std::int64_t>(next() * static_cast<double>(below - from));
  }
};

/// From `least` to `most` steps; where `odd`, the first is of 200 steps, and each seventh of none.
inline std::vector<std::int64_t> lengths(Numbers& numbers, std::int64_t count, std::int64_t least,
                                         std::int64_t most, bool odd) {
  std::vector<std::int64_t> all;
  for (std::int64_t i = 0; i < count; ++i) {
    all.push_back(odd && i % 7 == 3 ? 0 : numbers.next(least, most + 1));
  }
  if (odd) all[0] = 200;
  return all;
}

inline Tensor steps(Numbers& numbers, const std::vector<std::int64_t>& lengths,
                    std::int64_t features, double share) {
  std::vector<std::vector<float>> all;
  for (const auto length : lengths) {
    auto& own = all.emplace_back(static_cast<std::size_t>(length * features));
    for (auto& v : own) {
      const double u = numbers.next();
      v = static_cast<float>(share > 0 ? (u < share ? 1 : 0) : 2 * u - 1);
    }
  }
  return from_sequences(all, {features});
}

inline Tensor classes(Numbers& numbers, std::int64_t count, std::int64_t most) {
  std::vector<std::int64_t> all;
  for (std::int64_t i = 0; i < count; ++i) all.push_back(numbers.next(0, most));
  return tensor(all, {count});
}

}  // namespace detail_of_trainings

/// Letters into an embedding and a GRU.
inline SampleTraining words_training(std::int64_t count, std::int64_t units, bool odd) {
  using namespace detail_of_trainings;
  Numbers numbers;
  std::vector<std::vector<std::int64_t>> letters;
  for (const auto length : lengths(numbers, count, 2, 14, odd)) {
    auto& word = letters.emplace_back(static_cast<std::size_t>(length));
    for (auto& letter : word) letter = numbers.next(1, 27);
  }
  const Tensor ids = from_sequences(letters), languages = classes(numbers, count, 6);
  const auto model = [units] {
    Sequential made{Embedding{{.input_dim = 27, .output_dim = 32, .mask_zero = true}},
                    GRU{{.units = units}}, Dropout{{.rate = 0.3}}, Dense{{.units = 6}}};
    made.build(Spec::ids({any, any}).masked(2), Seed{1});
    return made;
  };
  return {Dataset::from_memory({ids}, languages), model, "sparse_categorical_crossentropy", 128};
}

/// Frames of 88 notes into an LSTM, the next frame of which it tells.
inline SampleTraining music_training(std::int64_t count, std::int64_t units, bool odd) {
  using namespace detail_of_trainings;
  Numbers numbers;
  const auto of = lengths(numbers, count, 55, 100, odd);
  const Tensor frames = steps(numbers, of, 88, 0.05), next = steps(numbers, of, 88, 0.05);
  const auto model = [units] {
    Sequential made{LSTM{{.units = units, .return_sequences = true}}, Dropout{{.rate = 0.3}},
                    Dense{{.units = 88}}};
    made.build(Spec::f32({any, any, 88}).masked(2), Seed{1});
    return made;
  };
  return {Dataset::from_memory({frames}, next), model, "binary_crossentropy", 4};
}

/// Coefficients of a vowel into a GRU in both directions.
inline SampleTraining speakers_training(std::int64_t count, std::int64_t units, bool odd) {
  using namespace detail_of_trainings;
  Numbers numbers;
  const Tensor vowels = steps(numbers, lengths(numbers, count, 7, 29, odd), 12, 0);
  const auto model = [units] {
    Sequential made{Bidirectional{GRU{{.units = units, .return_sequences = true}}},
                    GlobalMaxPooling1D{}, Dropout{{.rate = 0.2}}, Dense{{.units = 9}}};
    made.build(Spec::f32({any, any, 12}).masked(2), Seed{1});
    return made;
  };
  return {Dataset::from_memory({vowels}, classes(numbers, count, 9)), model,
          "sparse_categorical_crossentropy", 16};
}

/// By its sample's name; `small`: with fewer units; `odd`: with lengths from 0 to 200.
inline SampleTraining sample_training(const std::string& name, bool small, bool odd) {
  if (name == "words") return words_training(128 * 26, small ? 16 : 128, odd);
  if (name == "music") return music_training(4 * 26, small ? 16 : 256, odd);
  if (name == "speakers") return speakers_training(16 * 26, small ? 12 : 64, odd);
  fail<OptionError>("sample_training", "there is no sample {}; expected words, music or speakers",
                    name);
}

}  // namespace maskgrad::tests
