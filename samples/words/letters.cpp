#include "letters.hpp"

#include <array>
#include <optional>

namespace words {
namespace {

// U+00C0 ... U+00FF without accents; "" where the code point is no letter (the signs × and ÷).
constexpr std::array<std::string_view, 64> latin1_letters{
    "a", "a", "a", "a", "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i",  "i",
    "d", "n", "o", "o", "o", "o", "o",  "",  "o", "u", "u", "u", "u", "y", "th", "ss",
    "a", "a", "a", "a", "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i",  "i",
    "d", "n", "o", "o", "o", "o", "o",  "",  "o", "u", "u", "u", "u", "y", "th", "y"};

std::string letters_of(char32_t point) {
  if (point >= U'a' && point <= U'z') return {static_cast<char>(point)};
  if (point >= U'A' && point <= U'Z') return {static_cast<char>(point - U'A' + U'a')};
  if (point >= 0xC0 && point <= 0xFF) return std::string(latin1_letters[point - 0xC0]);
  switch (point) {
    case 0x152:
    case 0x153:
      return "oe";
    case 0x160:
    case 0x161:
      return "s";
    case 0x178:
      return "y";
    case 0x17D:
    case 0x17E:
      return "z";
    default:
      return {};
  }
}

// Takes one code point off the front of `text`; nothing where it does not start with one.
std::optional<char32_t> next_point(std::string_view& text) {
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned lead = byte(0);
  std::size_t length = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (length == 0 || lead > 0xF4 || text.size() < length) return std::nullopt;
  char32_t point = length == 1 ? lead : lead & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0u) != 0x80u) return std::nullopt;
    point = (point << 6) | (byte(i) & 0x3Fu);
  }
  bool overlong = (length == 3 && point < 0x800) || (length == 4 && point < 0x10000);
  bool surrogate = point >= 0xD800 && point <= 0xDFFF;
  if (overlong || surrogate || point > 0x10FFFF) return std::nullopt;
  text.remove_prefix(length);
  return point;
}

}  // namespace

std::string clean(std::string_view word) {
  std::string kept;
  while (!word.empty()) {
    std::optional<char32_t> point = next_point(word);
    std::string letters = point ? letters_of(*point) : std::string();
    if (letters.empty()) return {};
    kept += letters;
  }
  return kept;
}

bool is_utf8(std::string_view text) {
  while (!text.empty())
    if (!next_point(text)) return false;
  return true;
}

std::string utf8_from_latin1(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  for (char c : text) {
    unsigned point = static_cast<unsigned char>(c);
    if (point < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xC0u | (point >> 6));
      out += static_cast<char>(0x80u | (point & 0x3Fu));
    }
  }
  return out;
}

std::vector<std::int64_t> letter_ids(std::string_view clean_word) {
  std::vector<std::int64_t> ids;
  ids.reserve(clean_word.size());
  for (char c : clean_word) ids.push_back(c - 'a' + 1);
  return ids;
}

}  // namespace words
