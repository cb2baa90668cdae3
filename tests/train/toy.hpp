#pragma once

#include <vector>

#include <maskgrad/maskgrad.hpp>

#include "io/files.hpp"

namespace maskgrad::tests {

/// Sequences of `lengths`, three features a step, each with a class of two.
inline Dataset toy_data(const std::vector<std::int64_t>& lengths, DType dtype = DType::f32) {
  std::vector<std::vector<double>> values;
  std::vector<std::int64_t> classes;
  std::uint64_t at = 0;
  for (const auto length : lengths) {
    auto& own = values.emplace_back();
    double total = 0;
    for (std::int64_t i = 0; i < 3 * length; ++i) {
      own.push_back(2 * random::unit_at(Seed{5}, at++) - 1);
      total += own.back();
    }
    classes.push_back(total > 0 ? 1 : 0);
  }
  const auto count = static_cast<std::int64_t>(lengths.size());
  return Dataset::from_memory({cast(from_sequences(values, {3}), dtype)}, tensor(classes, {count}));
}

inline Dataset toy_data(std::int64_t count = 40) {
  std::vector<std::int64_t> lengths;
  for (std::int64_t i = 0; i < count; ++i) lengths.push_back(1 + i * 7 % 9);
  return toy_data(lengths);
}

/// With dropout, so that noise matters.
inline Sequential toy_model(DType dtype = DType::f32, Seed seed = {1}) {
  Sequential model{GRU{{.units = 6, .dropout = 0.1}}, Dropout{{.rate = 0.2}}, Dense{{.units = 2}}};
  model.build(
      dtype == DType::f64 ? Spec::f64({any, any, 3}).masked(2) : Spec::f32({any, any, 3}).masked(2),
      seed);
  return model;
}

constexpr const char* toy_loss = "sparse_categorical_crossentropy";

/// Every weight, bit by bit.
template <class M>
std::vector<double> weights_of(const M& model) {
  std::vector<double> all;
  for (const auto& p : parameters(model)) {
    const auto own = cast(p.value(), DType::f64).template to_vector<double>();
    all.insert(all.end(), own.begin(), own.end());
  }
  return all;
}

/// Whether a note of the history has this text.
inline bool said(const History& history, std::string_view text) {
  for (const auto& note : history.notes) {
    if (note.find(text) != std::string::npos) return true;
  }
  return false;
}

}  // namespace maskgrad::tests
