#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace words {

/// A word letter by letter: the letters a-z, and how each is written.
struct Accented {
  std::string plain;                 ///< `eleve`
  std::vector<std::string> written;  ///< `é`, `l`, `è`, `v`, `e`
};

/// Nothing where the word (UTF-8) has a capital, a sign that is no letter, or a letter that `clean`
/// makes two of (œ, ß).
std::optional<Accented> accented(std::string_view word);

}  // namespace words
