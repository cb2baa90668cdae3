#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace maskgrad::detail {

/// A name or text from a file or a user, fit for a terminal and for JSON: what would control a
/// terminal, and bytes that are no UTF-8, as \xHH; what is longer than `most` bytes is cut between
/// characters and ends in "...".
std::string printable(std::string_view text, std::size_t most = 80);
/// The same in single quotes, for messages.
std::string in_quotes(std::string_view text, std::size_t most = 80);

/// A whole message: line breaks stay, the rest is as `printable` makes it; of a line beyond 2000
/// bytes, and of a text beyond 16 KiB, the middle is left out.
std::string message_text(std::string text);

/// `text` as a field of a CSV line: in double quotes where it holds a comma, a quote or a line
/// break, with quotes doubled; other control characters and bytes that are no UTF-8 as \xHH.
/// Source:   RFC 4180.
std::string csv_field(std::string_view text);

bool is_utf8(std::string_view text);

}  // namespace maskgrad::detail
