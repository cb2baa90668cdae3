#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "words.hpp"

namespace words {

/// Which language a word is from, by its letter trigrams alone: the naive Bayes to compare with.
///   score(k) = sum over the trigrams g of the word of log((count_k(g) + alpha) / (total_k + alpha
///   V))
/// A word is read with two boundary signs before it and one behind, V = 27^3; the languages are as
/// likely as each other, since each gave as many words.
class NaiveBayes {
 public:
  /// Counts the trigrams of `train`. Alpha is the one of `smoothings` that is best on the last
  /// tenth of `train` after counting the other nine tenths; then all of `train` is counted.
  explicit NaiveBayes(std::span<const Example> train);

  /// Index into `languages` of the likeliest language of a clean word.
  int guess(std::string_view word) const;
  /// Share of the examples that it guesses right.
  double accuracy(std::span<const Example> examples) const;
  double alpha() const { return alpha_; }

  static constexpr std::array smoothings{0.01, 0.03, 0.1, 0.3, 1.0, 3.0};

 private:
  void count(std::span<const Example> examples);
  void smooth(double alpha);

  double alpha_ = 0;
  std::array<std::vector<std::size_t>, languages.size()> counts_;
  std::array<std::vector<double>, languages.size()> log_share_;
};

}  // namespace words
