#include <maskgrad/core/io/checksum.hpp>

#include <zlib.h>

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include <maskgrad/core/io/bytes.hpp>

namespace maskgrad::detail {
namespace {

constexpr std::string_view zeros = "00000000";

std::uint32_t crc_of(const ByteSource& source, std::uint64_t begin, std::uint64_t end,
                     std::uint32_t crc) {
  constexpr std::uint64_t part = 1 << 20;
  std::vector<std::byte> buffer(static_cast<std::size_t>(std::min(part, end - begin)));
  while (begin < end) {
    const auto now = std::span(buffer).first(std::min<std::size_t>(buffer.size(), end - begin));
    source.read_at(begin, now);
    crc = crc32(crc, now);
    begin += now.size();
  }
  return crc;
}

}  // namespace

std::uint32_t crc32(std::uint32_t before, std::span<const std::byte> bytes) {
  const auto* data = reinterpret_cast<const Bytef*>(bytes.data());
  return bytes.empty() ? before : static_cast<std::uint32_t>(::crc32_z(before, data, bytes.size()));
}

std::uint32_t crc32_joined(std::uint32_t first, std::uint32_t second, std::uint64_t length) {
  return static_cast<std::uint32_t>(::crc32_combine(first, second, static_cast<z_off_t>(length)));
}

std::string checksum_value(std::uint32_t crc) {
  return fmt::format("{}{:08x}", checksum_text, crc);
}

std::optional<std::size_t> find_checksum(std::string_view header) {
  // Inside of a text these quotes would have backslashes, so that it can stand there but once.
  const auto front = fmt::format("\"{}\":\"{}", checksum_key, checksum_text);
  const auto at = header.find(front);
  if (at == header.npos) return {};
  return at + front.size();
}

void verify_checksum(const ByteSource& source, std::uint64_t at, std::string_view value) {
  auto crc = crc_of(source, 0, at, 0);
  crc = crc32(crc, as_bytes(zeros));
  crc = crc_of(source, at + checksum_digits, source.size(), crc);
  if (checksum_value(crc) == value) return;
  source.place().refuse(at,
                        "the checksum of the file is {}, but it says {}: it is not as it was "
                        "written; take another copy, or, where a program changed it on purpose, "
                        "have it leave '{}' out of the metadata",
                        in_quotes(checksum_value(crc)), in_quotes(value), checksum_key);
}

}  // namespace maskgrad::detail
