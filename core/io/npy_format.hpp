#pragma once

#include <maskgrad/core/io/decode.hpp>

namespace maskgrad::detail {

/// NumPy's own headers for plain arrays are under 400 bytes; longer ones are refused unread.
inline constexpr std::uint64_t max_npy_header = 65536;

/// Reads magic, version and header from the front of `in`.
Layout read_npy_layout(ByteStream& in);

/// What the dictionary `text` of a `.npy` header says; `offset` is where it begins.
Layout parse_npy_header(std::string_view text, std::uint64_t offset, const Place& place);

/// Reads the `.npy` that `in` holds up to its end.
Array read_npy(ByteStream& in);

/// Magic, version and header of `array`, a multiple of 64 bytes.
std::string npy_header(const Array& array);

}  // namespace maskgrad::detail
