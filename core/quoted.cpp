#include <maskgrad/core/quoted.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace maskgrad::detail {
namespace {

// The length of the well-formed UTF-8 sequence that `text` begins with, 0 where there is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead < 0xC2   ? 0
                             : lead < 0xE0 ? 2
                             : lead < 0xF0 ? 3
                             : lead < 0xF5 ? 4
                                           : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates and what lies beyond U+10FFFF show in the second byte.
  const bool wrong = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) > 0x9F) ||
                     (lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) > 0x8F);
  return wrong ? 0 : length;
}

// Characters that do something to a terminal or to the order of what it shows.
bool controls(std::string_view character) {
  const auto lead = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return lead < 0x20 || lead == 0x7F;
  const auto second = static_cast<unsigned char>(character[1]);
  if (character.size() == 2) return lead == 0xC2 && second < 0xA0;  // U+0080 to U+009F
  if (character.size() == 4) return false;
  const auto third = static_cast<unsigned char>(character[2]);
  if (character == "\xEF\xBB\xBF") return true;  // U+FEFF
  if (lead != 0xE2) return false;
  if (second == 0x81) return third >= 0xA0 && third <= 0xAF;  // U+2060 to U+206F
  // U+200B to U+200F, U+2028 to U+202E
  return second == 0x80 && ((third >= 0x8B && third <= 0x8F) || (third >= 0xA8 && third <= 0xAE));
}

// Appends `text`, of which the characters in `kept` need no escape, up to `most` bytes of it.
// Returns how many bytes it took.
std::size_t escape(std::string& to, std::string_view text, std::string_view kept,
                   std::size_t most) {
  std::size_t at = 0;
  while (at < text.size()) {
    const auto length = sequence_length(text.substr(at));
    const auto character = text.substr(at, std::max<std::size_t>(length, 1));
    if (at + character.size() > most) break;
    at += character.size();
    if (length > 0 && (!controls(character) || kept.find(character) != kept.npos)) {
      to += character;
      continue;
    }
    for (const char c : character) to += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  return at;
}

// Whether a character begins at `at`.
bool begins(std::string_view text, std::size_t at) {
  return at >= text.size() || (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80;
}

// `text` without its middle, where it is longer than `most` bytes.
std::string without_middle(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  std::size_t front = most * 3 / 4, back = text.size() - most / 4;
  while (!begins(text, front)) --front;
  while (!begins(text, back)) ++back;
  return fmt::format("{} ... ({} bytes are left out) ... {}", text.substr(0, front), back - front,
                     text.substr(back));
}

}  // namespace

std::string printable(std::string_view text, std::size_t most) {
  std::string made;
  return escape(made, text, "", most) < text.size() ? made + "..." : made;
}

std::string in_quotes(std::string_view text, std::size_t most) {
  return '\'' + printable(text, most) + '\'';
}

std::string message_text(std::string text) {
  constexpr std::size_t line_most = 2000, most = 16384;
  const auto plain = [](char c) { return c == '\n' || (c >= 0x20 && c < 0x7F); };
  if (text.size() <= line_most && std::all_of(text.begin(), text.end(), plain)) return text;
  // What is left out anyway is not looked at.
  text = without_middle(text, 8 * most);
  std::string whole, line;
  for (std::size_t from = 0; from <= text.size();) {
    const auto to = std::min(text.find('\n', from), text.size());
    line.clear();
    escape(line, std::string_view(text).substr(from, to - from), "\t", text.size());
    whole += (from > 0 ? "\n" : "") + without_middle(line, line_most);
    from = to + 1;
  }
  return without_middle(whole, most);
}

std::string csv_field(std::string_view text) {
  std::string made;
  escape(made, text, "\t\r\n", text.size());
  if (made.find_first_of(",\"\r\n") == made.npos) return made;
  std::string doubled = "\"";
  for (const char c : made) doubled += c == '"' ? std::string("\"\"") : std::string(1, c);
  return doubled + '"';
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto length = sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace maskgrad::detail
