#pragma once

#include <maskgrad/core/io/byte_source.hpp>
#include <maskgrad/core/io/bytes.hpp>

namespace maskgrad::detail {

/// A record of fixed fields, by their offsets in the zip specification.
struct ZipRecord {
  std::span<const std::byte> bytes;

  std::uint16_t u16(std::size_t at) const { return static_cast<std::uint16_t>(number(at, 2)); }
  std::uint32_t u32(std::size_t at) const { return static_cast<std::uint32_t>(number(at, 4)); }
  std::uint64_t u64(std::size_t at) const { return number(at, 8); }

 private:
  std::uint64_t number(std::size_t at, std::size_t width) const {
    return little_endian(bytes.subspan(at, width));
  }
};

/// Where the directory of a zip file lies and how many entries it lists.
struct ZipDirectory {
  std::uint64_t begin = 0, size = 0, entries = 0;
};

/// Reads the end record, in its 32-bit or 64-bit form, from the file's last bytes, and checks that
/// the directory ends where it begins.
ZipDirectory read_zip_end(const ByteSource& source);

}  // namespace maskgrad::detail
