#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <maskgrad/core/io/byte_source.hpp>

namespace maskgrad::detail {

/// CRC-32 of bytes that follow those of which `before` is it (0: none).
std::uint32_t crc32(std::uint32_t before, std::span<const std::byte> bytes);
/// CRC-32 of all, where `second` is that of the last `length` bytes and `first` of those before.
std::uint32_t crc32_joined(std::uint32_t first, std::uint32_t second, std::uint64_t length);

/// The key in the metadata of a safetensors file, and what stands there: this text and 8 digits,
/// the CRC-32 of all bytes of the file, these 8 taken as 0.
inline constexpr std::string_view checksum_key = "maskgrad_checksum";
inline constexpr std::string_view checksum_text = "maskgrad crc32 ";
inline constexpr std::size_t checksum_digits = 8;
std::string checksum_value(std::uint32_t crc);

/// Where the digits begin in the text of a header; nothing where they do not stand there as they
/// are written.
std::optional<std::size_t> find_checksum(std::string_view header);

/// Refuses a file whose bytes are not those that had this checksum; `at` is where its digits are.
void verify_checksum(const ByteSource& source, std::uint64_t at, std::string_view value);

}  // namespace maskgrad::detail
