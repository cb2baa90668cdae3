#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace words {

/// The letters a-z of `word` (UTF-8), lower case and without accents; empty where something else
/// than a letter of Latin-1 or œ, š, ž, ÿ stands in it (an apostrophe, a hyphen, a digit, a blank).
/// å ä á à â ã -> a, ö ø ó -> o, ü ú -> u, ç -> c, ñ -> n, ...; æ -> ae, œ -> oe, ß -> ss, þ -> th.
std::string clean(std::string_view word);

/// True where every byte belongs to well-formed UTF-8.
bool is_utf8(std::string_view text);

/// Latin-1 text as UTF-8: each byte is the code point of its value.
std::string utf8_from_latin1(std::string_view text);

/// a = 1 ... z = 26 for each letter of a clean word; 0 is left to padding (`mask_zero`).
std::vector<std::int64_t> letter_ids(std::string_view clean_word);

}  // namespace words
