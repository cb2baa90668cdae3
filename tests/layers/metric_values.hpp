#pragma once

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

#include <maskgrad/maskgrad.hpp>

#include "odd_values.hpp"

namespace maskgrad::tests {

using Ids = std::vector<std::int64_t>;

inline doctest::Approx about(double value) {
  return doctest::Approx(value).epsilon(1e-12);
}

inline Tensor column(const std::vector<double>& values) {
  return tensor(values, {static_cast<std::int64_t>(values.size()), 1});
}
inline Tensor ids_of(const Ids& ids) {
  return tensor(ids, {static_cast<std::int64_t>(ids.size())});
}
/// Words as sequences of the numbers of their letters.
inline Tensor letters(const std::vector<std::string>& words) {
  std::vector<Ids> all;
  for (const auto& word : words) all.emplace_back(word.begin(), word.end());
  return from_sequences(all);
}
template <class M>
double once(M metric, const Tensor& y_true, const Tensor& y_pred, const Tensor& weight = {}) {
  metric.update(y_true, y_pred, weight);
  return metric.value();
}

}  // namespace maskgrad::tests
