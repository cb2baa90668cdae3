#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "words/accents.hpp"
#include "words/confusion.hpp"
#include "words/letters.hpp"
#include "words/naive_bayes.hpp"
#include "words/words.hpp"

namespace {

namespace fs = std::filesystem;

// A folder of six small lists, gone at the end.
class Lists {
 public:
  Lists() : folder_(fs::temp_directory_path() / ("maskgrad_words_" + std::to_string(number()))) {
    fs::create_directories(folder_);
    for (std::size_t k = 0; k < words::languages.size(); ++k) write(k, own_words(k));
  }
  Lists(const Lists&) = delete;
  Lists& operator=(const Lists&) = delete;
  ~Lists() { fs::remove_all(folder_); }

  std::string path() const { return folder_.string(); }
  void write(std::size_t language, const std::string& text) const {
    std::ofstream(folder_ / words::languages[language].file, std::ios::binary) << text;
  }
  void remove(std::size_t language) const { fs::remove(folder_ / words::languages[language].file); }
  words::Options options(std::size_t per_language = 20) const {
    words::Options options;
    options.folder = folder_.string();
    options.per_language = per_language;
    return options;
  }

  // 26 words in which the language's own letter stands, and one that is in every list.
  static std::string own_words(std::size_t language) {
    std::string own(2, static_cast<char>('b' + language)), text = "common\n";
    for (char c = 'a'; c <= 'z'; ++c) text += own + c + "o\n";
    return text;
  }

 private:
  static unsigned number() { return std::random_device{}(); }
  fs::path folder_;
};

}  // namespace

TEST_CASE("words: clean keeps the letters a-z, lower case and without accents") {
  CHECK(words::clean("Word") == "word");
  CHECK(words::clean("ÄÖÜäöüß") == "aouaouss");
  CHECK(words::clean("Ångström") == "angstrom");
  CHECK(words::clean("garçon") == "garcon");
  CHECK(words::clean("mañana") == "manana");
  CHECK(words::clean("cœur") == "coeur");
  CHECK(words::clean("Ærø") == "aero");
  CHECK(words::clean("þÿŸ") == "thyy");
}

TEST_CASE("words: clean drops a word with anything else in it") {
  for (const char* word : {"it's", "vis-à-vis", "word2", "two words", "a×b", "naïve…", "Łódź", ""})
    CHECK_MESSAGE(words::clean(word).empty(), word);
  CHECK(words::clean("caf\xE9").empty());       // a Latin-1 byte is no UTF-8
  CHECK(words::clean("caf\xC3").empty());       // cut off inside a letter
  CHECK(words::clean("a\xC0\xA1").empty());     // overlong
  CHECK(words::clean("\xED\xA0\x80").empty());  // a surrogate
}

TEST_CASE("words: Latin-1 text is told from UTF-8 and converted") {
  CHECK(words::is_utf8("plain"));
  CHECK(words::is_utf8("sjö…😀"));
  CHECK_FALSE(words::is_utf8("sj\xF6"));
  CHECK(words::utf8_from_latin1("sj\xF6 \xC5") == "sjö Å");
}

TEST_CASE("words: letters are numbered from 1, so that 0 is padding") {
  CHECK(words::letter_ids("az") == std::vector<std::int64_t>{1, 26});
  CHECK(words::letter_ids("").empty());
}

TEST_CASE("words: accented keeps how each letter is written, or drops the word") {
  const auto word = words::accented("élève");
  REQUIRE(word);
  CHECK(word->plain == "eleve");
  CHECK(word->written == std::vector<std::string>{"é", "l", "è", "v", "e"});
  CHECK(words::accented("ÿ")->plain == "y");
  for (const char* other : {"Élève", "Eleve", "Šest", "cœur", "straße", "c'est", "caf\xE9"})
    CHECK_MESSAGE(!words::accented(other), other);
}

TEST_CASE("words: lines are read as they stand, Latin-1 as UTF-8") {
  Lists lists;
  lists.write(5, "sj\xF6\n\nvoi's");
  CHECK(words::read_lines(lists.path(), words::languages[5]) ==
        std::vector<std::string>{"sjö", "", "voi's"});
}

TEST_CASE("words: a list is read sorted, each word once, within the limits") {
  Lists lists;
  lists.write(5,
              "sj\xF6\nSj\xF6\n\xE5"
              "ar\nvoi\xE0\nab\nabcdef\nx-y\nlast");
  CHECK(words::read_list(lists.path(), words::languages[5], 3, 5) ==
        std::vector<std::string>{"aar", "last", "sjo", "voia"});
}

TEST_CASE("words: load takes words of one list only, as many of each, split 80 to 20") {
  Lists lists;
  words::Data data = words::load(lists.options());
  CHECK(data.train.size() == 6 * 16);
  CHECK(data.test.size() == 6 * 4);
  std::set<std::string> seen;
  for (const auto* part : {&data.train, &data.test})
    for (const words::Example& e : *part) {
      CHECK(e.word.front() == 'b' + e.language);
      CHECK(seen.insert(e.word).second);
    }
  for (int k = 0; k < 6; ++k) {
    CHECK(data.available[static_cast<std::size_t>(k)] == 26);
    CHECK(std::count_if(data.test.begin(), data.test.end(),
                        [&](const words::Example& e) { return e.language == k; }) == 4);
  }
}

TEST_CASE("words: the seed alone decides the split") {
  Lists lists;
  auto first_words = [&](std::uint64_t seed) {
    words::Options options = lists.options();
    options.seed = seed;
    std::string text;
    for (const words::Example& e : words::load(options).test) text += e.word + ' ';
    return text;
  };
  CHECK(first_words(1) == first_words(1));
  CHECK(first_words(1) != first_words(2));
}

TEST_CASE("words: order is the same on every machine, and draws are even") {
  std::mt19937_64 random(7);
  std::vector<int> items{0, 1, 2, 3, 4, 5, 6, 7};
  words::shuffle(items, random);
  CHECK(items == std::vector<int>{2, 3, 5, 6, 1, 0, 4, 7});
  std::vector<int> times(3);
  for (int i = 0; i < 3000; ++i) ++times[words::draw_below(random, 3)];
  for (int t : times) CHECK(std::abs(t - 1000) < 120);
}

TEST_CASE("words: a missing list names its file and its package") {
  Lists lists;
  lists.remove(1);
  std::string path = lists.path() + "/french";
  CHECK_THROWS_WITH_AS(words::load(lists.options()),
                       ("words: cannot read '" + path +
                        "'; expected the French word list of Debian's package wfrench. Install "
                        "it: apt-get install wfrench")
                           .c_str(),
                       std::runtime_error);
}

TEST_CASE("words: too few words names the list and both numbers") {
  Lists lists;
  CHECK_THROWS_WITH_AS(words::load(lists.options(27)),
                       "words: the English list has 26 words of its own with 3 to 20 letters; "
                       "per_language asks for 27. Ask for fewer, or widen the limits.",
                       std::invalid_argument);
}

TEST_CASE("words: naive Bayes learns what the trigrams tell") {
  Lists lists;
  words::Data data = words::load(lists.options());
  words::NaiveBayes bayes(data.train);
  CHECK(bayes.accuracy(data.test) == 1.0);
  CHECK(bayes.guess("eeco") == 3);
  CHECK(bayes.accuracy({}) == 0.0);
  CHECK(std::count(words::NaiveBayes::smoothings.begin(), words::NaiveBayes::smoothings.end(),
                   bayes.alpha()) == 1);
}

TEST_CASE("words: the confusion table counts, and is at most 80 columns wide") {
  words::Confusion table;
  CHECK(table.accuracy() == 0.0);
  table.add(0, 0);
  table.add(0, 1);
  table.add(5, 5);
  CHECK(table.accuracy() == doctest::Approx(2.0 / 3));
  CHECK(table.count(0, 1) == 1);
  std::ostringstream out;
  out << table;
  std::istringstream lines(out.str());
  std::vector<std::string> read;
  for (std::string line; std::getline(lines, line);) read.push_back(line);
  REQUIRE(read.size() == 7);
  for (const std::string& line : read) CHECK_MESSAGE(line.size() <= 80, line);
  CHECK(read[1] == "English             1        1        0        0        0        0   50.0 %");
  CHECK(read[2].ends_with("        0        -"));
}

TEST_CASE("words: Debian's lists give enough words, and naive Bayes a fair mark to beat") {
  words::Data data = words::load();
  for (std::size_t available : data.available) CHECK(available >= 20000);
  double accuracy = words::NaiveBayes(data.train).accuracy(data.test);
  CHECK(accuracy > 0.84);
  CHECK(accuracy < 0.90);
}
