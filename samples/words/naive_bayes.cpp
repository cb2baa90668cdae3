#include "naive_bayes.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace words {
namespace {

constexpr std::size_t signs = 27;  // a-z and the boundary
constexpr std::size_t boundary = 26;
constexpr std::size_t trigrams = signs * signs * signs;

// Calls f(id) for each trigram of the word between its boundary signs.
template <class F>
void each_trigram(std::string_view word, F&& f) {
  std::size_t id = boundary * signs + boundary;
  auto push = [&](std::size_t sign) {
    id = (id * signs + sign) % trigrams;
    f(id);
  };
  for (char c : word) push(static_cast<std::size_t>(c - 'a'));
  push(boundary);
}

}  // namespace

NaiveBayes::NaiveBayes(std::span<const Example> train) {
  const std::size_t counted = train.size() - train.size() / 10;
  count(train.first(counted));
  double best = -1, best_alpha = 1;
  for (double alpha : smoothings) {
    smooth(alpha);
    double share = accuracy(train.subspan(counted));
    if (share > best) best = share, best_alpha = alpha;
  }
  count(train);
  smooth(best_alpha);
}

void NaiveBayes::count(std::span<const Example> examples) {
  for (auto& counts : counts_) counts.assign(trigrams, 0);
  for (const Example& e : examples)
    each_trigram(e.word,
                 [&](std::size_t id) { ++counts_[static_cast<std::size_t>(e.language)][id]; });
}

void NaiveBayes::smooth(double alpha) {
  alpha_ = alpha;
  for (std::size_t k = 0; k < counts_.size(); ++k) {
    auto total = std::accumulate(counts_[k].begin(), counts_[k].end(), std::size_t{0});
    double log_all = std::log(static_cast<double>(total) + alpha * static_cast<double>(trigrams));
    log_share_[k].resize(trigrams);
    for (std::size_t id = 0; id < trigrams; ++id)
      log_share_[k][id] = std::log(static_cast<double>(counts_[k][id]) + alpha) - log_all;
  }
}

int NaiveBayes::guess(std::string_view word) const {
  std::array<double, languages.size()> score{};
  each_trigram(word, [&](std::size_t id) {
    for (std::size_t k = 0; k < score.size(); ++k) score[k] += log_share_[k][id];
  });
  return static_cast<int>(std::max_element(score.begin(), score.end()) - score.begin());
}

double NaiveBayes::accuracy(std::span<const Example> examples) const {
  if (examples.empty()) return 0;
  auto right = std::count_if(examples.begin(), examples.end(),
                             [&](const Example& e) { return guess(e.word) == e.language; });
  return static_cast<double>(right) / static_cast<double>(examples.size());
}

}  // namespace words
