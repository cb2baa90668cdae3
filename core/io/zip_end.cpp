#include <maskgrad/core/io/zip_end.hpp>

#include <array>

namespace maskgrad::detail {
namespace {

constexpr std::uint64_t end_size = 22, end64_size = 56, locator_size = 20;
constexpr std::uint32_t end_mark = 0x06054b50, end64_mark = 0x06064b50, locator_mark = 0x07064b50;

ZipDirectory read_end64(const ByteSource& source, std::uint64_t locator_at,
                        const ZipRecord& locator) {
  const auto& place = source.place();
  const auto at = locator.u64(8);
  if (locator_at < end64_size || at != locator_at - end64_size) {
    place.refuse(locator_at + 8,
                 "the zip64 end record is to lie at byte {}; expected it right before its locator; "
                 "write the file again",
                 at);
  }
  std::array<std::byte, end64_size> bytes;
  source.read_at(at, bytes);
  const ZipRecord end{bytes};
  if (end.u32(0) != end64_mark || end.u64(4) != end64_size - 12) {
    place.refuse(at, "there is no zip64 end record of {} bytes; write the file again", end64_size);
  }
  if (end.u32(16) != 0 || end.u32(20) != 0 || end.u64(24) != end.u64(32)) {
    place.refuse(at + 16, "the archive is spread over several disks; put it into one file");
  }
  return {end.u64(48), end.u64(40), end.u64(32)};
}

// Reads the end record; `limit` becomes where the directory must end.
ZipDirectory read_end(const ByteSource& source, std::uint64_t& limit) {
  const auto& place = source.place();
  if (source.size() < end_size) {
    place.refuse(0, "the file has {} bytes; a zip file has at least {}; give a whole one",
                 source.size(), end_size);
  }
  limit = source.size() - end_size;
  std::array<std::byte, end_size> bytes;
  source.read_at(limit, bytes);
  const ZipRecord end{bytes};
  if (end.u32(0) != end_mark || end.u16(20) != 0) {
    place.refuse(limit,
                 "the last {} bytes are no zip end record; the file was cut short, has bytes or a "
                 "comment behind its end, or is no zip file",
                 end_size);
  }
  if (limit >= locator_size) {
    std::array<std::byte, locator_size> before;
    source.read_at(limit - locator_size, before);
    if (ZipRecord{before}.u32(0) == locator_mark) {
      const auto directory = read_end64(source, limit - locator_size, ZipRecord{before});
      limit -= locator_size + end64_size;
      return directory;
    }
  }
  if (end.u16(4) != 0 || end.u16(6) != 0 || end.u16(8) != end.u16(10)) {
    place.refuse(limit + 4, "the archive is spread over several disks; put it into one file");
  }
  return {end.u32(16), end.u32(12), end.u16(10)};
}

}  // namespace

ZipDirectory read_zip_end(const ByteSource& source) {
  std::uint64_t limit = 0;
  const auto directory = read_end(source, limit);
  const auto& place = source.place();
  if (directory.size > limit || directory.begin != limit - directory.size) {
    place.refuse(limit,
                 "the directory is to have {} bytes from byte {} on; expected it to end "
                 "here; the file has bytes before or behind the archive, write it again",
                 directory.size, directory.begin);
  }
  return directory;
}

}  // namespace maskgrad::detail
