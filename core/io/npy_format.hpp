#pragma once

#include <maskgrad/core/io/decode.hpp>

namespace maskgrad::detail {

/// NumPy's own headers for plain arrays are under 400 bytes; longer ones are refused unread.
inline constexpr std::uint64_t max_npy_header = 65536;

/// Reads magic, version and header from the front of `in`.
Layout read_npy_layout(ByteStream& in);

/// The same for an array of texts: how many there are, and code points of each.
struct TextLayout {
  std::uint64_t count = 0, width = 0;
  bool big_endian = false;
};
TextLayout read_npy_text_layout(ByteStream& in);

/// What the dictionary `text` of a `.npy` header says; `offset` is where it begins.
Layout parse_npy_header(std::string_view text, std::uint64_t offset, const Place& place);
TextLayout parse_npy_text_header(std::string_view text, std::uint64_t offset, const Place& place);

/// Refuses, at where `in` stands, an array that is not what follows to the end.
void check_npy_size(const Layout& layout, const ByteStream& in);

/// Reads the `.npy` that `in` holds up to its end.
Array read_npy(ByteStream& in);

/// The texts of a one-dimensional array of them (`<U5`), as UTF-8.
std::vector<std::string> read_npy_texts(ByteStream& in);

/// Magic, version and header of `array`, a multiple of 64 bytes.
std::string npy_header(const Array& array);

}  // namespace maskgrad::detail
