#include "words.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <limits>
#include <stdexcept>

#include "letters.hpp"

namespace words {
namespace {

std::string read_text(const std::string& path, const Language& language) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::string package(language.package);
    throw std::runtime_error("words: cannot read '" + path + "'; expected the " +
                             std::string(language.name) + " word list of Debian's package " +
                             package + ". Install it: apt-get install " + package);
  }
  std::string text(std::istreambuf_iterator<char>(file), {});
  return is_utf8(text) ? text : utf8_from_latin1(text);
}

using Lists = std::array<std::vector<std::string>, languages.size()>;

// Takes out of every list the words that another list has too.
Lists of_one_list_only(const Lists& lists) {
  std::vector<std::string> all;
  for (const auto& list : lists) all.insert(all.end(), list.begin(), list.end());
  std::sort(all.begin(), all.end());
  Lists kept;
  for (std::size_t k = 0; k < lists.size(); ++k)
    for (const std::string& word : lists[k]) {
      auto [first, last] = std::equal_range(all.begin(), all.end(), word);
      if (last - first == 1) kept[k].push_back(word);
    }
  return kept;
}

void check_count(const Language& language, std::size_t available, const Options& options) {
  if (available >= options.per_language) return;
  throw std::invalid_argument(
      "words: the " + std::string(language.name) + " list has " + std::to_string(available) +
      " words of its own with " + std::to_string(options.shortest) + " to " +
      std::to_string(options.longest) + " letters; per_language asks for " +
      std::to_string(options.per_language) + ". Ask for fewer, or widen the limits.");
}

}  // namespace

std::uint64_t draw_below(std::mt19937_64& random, std::uint64_t bound) {
  const std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t fair = largest - largest % bound;  // a multiple of bound: no number favoured
  std::uint64_t number = random();
  while (number >= fair) number = random();
  return number % bound;
}

std::vector<std::string> read_lines(const std::string& folder, const Language& language) {
  const std::string text = read_text(folder + "/" + std::string(language.file), language);
  std::vector<std::string> lines;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    lines.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return lines;
}

std::vector<std::string> read_list(const std::string& folder, const Language& language,
                                   std::size_t shortest, std::size_t longest) {
  std::vector<std::string> list;
  for (const std::string& line : read_lines(folder, language)) {
    std::string word = clean(line);
    if (word.size() >= shortest && word.size() <= longest) list.push_back(std::move(word));
  }
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
  return list;
}

Data load(const Options& options) {
  Lists lists;
  for (std::size_t k = 0; k < languages.size(); ++k)
    lists[k] = read_list(options.folder, languages[k], options.shortest, options.longest);
  lists = of_one_list_only(lists);

  Data data;
  std::mt19937_64 random(options.seed);
  const std::size_t trained = options.per_language * 4 / 5;
  for (std::size_t k = 0; k < languages.size(); ++k) {
    data.available[k] = lists[k].size();
    check_count(languages[k], lists[k].size(), options);
    shuffle(lists[k], random);
    for (std::size_t i = 0; i < options.per_language; ++i)
      (i < trained ? data.train : data.test)
          .push_back({std::move(lists[k][i]), static_cast<int>(k)});
  }
  shuffle(data.train, random);
  shuffle(data.test, random);
  return data;
}

}  // namespace words
