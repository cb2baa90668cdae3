#pragma once

#include <array>
#include <cstddef>
#include <iosfwd>

#include "words.hpp"

namespace words {

/// How often each language was taken for each.
class Confusion {
 public:
  void add(int truth, int guess);
  /// Share of right guesses; 0 before the first `add`.
  double accuracy() const;
  std::size_t count(int truth, int guess) const;

 private:
  static constexpr std::size_t n = languages.size();
  std::array<std::size_t, n * n> counts_{};
};

/// Rows: the language a word is from; columns: what it was taken for; then the share that was right
/// (of a row without words: `-`). At most 80 columns wide.
std::ostream& operator<<(std::ostream& out, const Confusion& table);

}  // namespace words
