#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace words {

/// A language, its word list under /usr/share/dict and the Debian package that brings the list.
struct Language {
  std::string_view name, file, package;
};

inline constexpr std::array<Language, 6> languages{{
    {"English", "american-english", "wamerican"},
    {"French", "french", "wfrench"},
    {"German", "ngerman", "wngerman"},
    {"Italian", "italian", "witalian"},
    {"Spanish", "spanish", "wspanish"},
    {"Swedish", "swedish", "wswedish"},
}};

struct Options {
  std::string folder = "/usr/share/dict";
  std::size_t shortest = 3, longest = 20;  ///< letters of a word that is kept, both included
  std::size_t per_language = 20000;        ///< words taken from each list, train and test together
  std::uint64_t seed = 1;
};

struct Example {
  std::string word;  ///< letters a-z
  int language;      ///< index into `languages`
};

struct Data {
  std::vector<Example> train, test;  ///< 80 % and 20 % of every language, mixed
  std::array<std::size_t, languages.size()> available{};  ///< words that stand in that list only
};

/// The words of the lists: lower case, without accents (`clean`), within the limits, of one list
/// only, `per_language` from each, split 80 to 20. The same seed and lists give the same data.
/// Throws std::runtime_error, which names file and package, where a list is missing, and
/// std::invalid_argument where a list has too few words.
Data load(const Options& options = {});

/// The lines of a list as UTF-8 (Latin-1 is converted). Throws as `load`.
std::vector<std::string> read_lines(const std::string& folder, const Language& language);

/// Clean words of one list, sorted, each once.
std::vector<std::string> read_list(const std::string& folder, const Language& language,
                                   std::size_t shortest, std::size_t longest);

/// A number from 0 to `bound` - 1, each as likely, the same on every machine (what
/// std::uniform_int_distribution draws is left to the implementation).
std::uint64_t draw_below(std::mt19937_64& random, std::uint64_t bound);

/// Fisher-Yates with `draw_below`.
template <class T>
void shuffle(std::vector<T>& items, std::mt19937_64& random) {
  for (std::size_t left = items.size(); left > 1; --left)
    std::swap(items[left - 1], items[draw_below(random, left)]);
}

}  // namespace words
