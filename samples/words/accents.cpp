#include "accents.hpp"

#include "letters.hpp"

namespace words {
namespace {

bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xC0u) == 0x80u;
}

// A-Z, À to Þ, whose second byte is below that of ß, and the capitals of the others that words
// have.
bool is_capital(std::string_view letter) {
  for (const std::string_view other : {"Œ", "Š", "Ÿ", "Ž"}) {
    if (letter == other) return true;
  }
  if (letter.size() == 1) return letter[0] >= 'A' && letter[0] <= 'Z';
  return letter[0] == '\xC3' && static_cast<unsigned char>(letter[1]) < 0x9F;
}

}  // namespace

std::optional<Accented> accented(std::string_view word) {
  Accented result;
  for (std::size_t i = 0, end = 0; i < word.size(); i = end) {
    end = i + 1;
    while (end < word.size() && continues(word[end])) ++end;
    const std::string_view letter = word.substr(i, end - i);
    const std::string plain = clean(letter);
    if (plain.size() != 1 || is_capital(letter)) return std::nullopt;
    result.plain += plain;
    result.written.emplace_back(letter);
  }
  return result;
}

}  // namespace words
