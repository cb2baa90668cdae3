#pragma once

#include <string>
#include <vector>

#include <maskgrad/core/io/byte_source.hpp>

namespace maskgrad::detail {

enum class ZipMethod : std::uint16_t { stored = 0, deflated = 8 };

/// Deflate cannot do better: 258 bytes for 2 bits.
inline constexpr std::uint64_t max_deflate_ratio = 1032;

/// An entry of a zip file as its directory and its own header agree on it.
struct ZipEntry {
  std::string name;
  ZipMethod method = ZipMethod::stored;
  std::uint16_t flags = 0;
  std::uint32_t checksum = 0;
  std::uint64_t packed = 0;  ///< bytes in the file
  std::uint64_t size = 0;    ///< bytes when inflated
  std::uint64_t header = 0;  ///< where its own header begins
  std::uint64_t data = 0;    ///< where its bytes begin
};

/// Every entry, in the order of the directory. The end record must be the file's last 22 bytes and
/// the directory lie right before it; entries must not overlap, be encrypted, be spread over
/// several disks, or claim sizes that do not fit their bytes. Names are checked by their user.
/// Source: PKWARE, "APPNOTE.TXT - .ZIP File Format Specification" 6.3.
std::vector<ZipEntry> read_zip_directory(const ByteSource& source);

}  // namespace maskgrad::detail
