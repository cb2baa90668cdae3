#include <maskgrad/core/io/zip_directory.hpp>

#include <algorithm>
#include <array>

#include <maskgrad/core/io/room.hpp>
#include <maskgrad/core/io/zip_end.hpp>

namespace maskgrad::detail {
namespace {

constexpr std::uint64_t central_size = 46, local_size = 30;
constexpr std::uint32_t central_mark = 0x02014b50, local_mark = 0x04034b50;
constexpr std::uint32_t full32 = 0xFFFFFFFF;

// Replaces the fields that are full by their 64-bit values in the zip64 extra field.
void resolve_zip64(std::span<const std::byte> extra, std::uint64_t offset, const Place& place,
                   std::initializer_list<std::uint64_t*> fields) {
  std::span<const std::byte> wide;
  while (extra.size() >= 4) {
    const auto id = ZipRecord{extra}.u16(0), size = ZipRecord{extra}.u16(2);
    if (size > extra.size() - 4) {
      place.refuse(offset, "an extra field of {} bytes has {} left; write the file again", size,
                   extra.size() - 4);
    }
    if (id == 1) wide = extra.subspan(4, size);
    extra = extra.subspan(4u + size);
  }
  for (auto* field : fields) {
    if (*field != full32 || wide.empty()) continue;
    if (wide.size() < 8) {
      place.refuse(offset, "the zip64 extra field lacks a size; write the file again");
    }
    *field = ZipRecord{wide}.u64(0);
    wide = wide.subspan(8);
  }
}

void check_flags(std::uint16_t flags, std::uint64_t offset, const Place& place) {
  // Allowed: how hard deflate tried (1, 2), sizes behind the data (3), names in UTF-8 (11).
  constexpr std::uint16_t allowed = 1u << 1 | 1u << 2 | 1u << 3 | 1u << 11;
  if ((flags & 1) != 0) place.refuse(offset, "the entry is encrypted; write it without a password");
  if ((flags & ~allowed) != 0) {
    place.refuse(offset,
                 "the entry has the flags {:#06x}; expected none but {:#06x}; write the "
                 "file again with numpy.savez",
                 flags, allowed);
  }
}

void check_sizes(const ZipEntry& entry, std::uint64_t offset, const Place& place) {
  if (entry.method == ZipMethod::stored && entry.size != entry.packed) {
    place.refuse(offset,
                 "the stored entry {} has {} bytes in the file and is to have {}; expected "
                 "the same number",
                 in_quotes(entry.name), entry.packed, entry.size);
  }
  if (entry.size / max_deflate_ratio > entry.packed ||
      (entry.size / max_deflate_ratio == entry.packed && entry.size % max_deflate_ratio > 0)) {
    place.refuse(offset,
                 "the entry {} is to inflate from {} to {} bytes; deflate makes at most {} "
                 "of one, so this is no honest file",
                 in_quotes(entry.name), entry.packed, entry.size, max_deflate_ratio);
  }
}

// Compares the entry's own header with the directory and finds where its data begin; all of it
// must lie before `limit`, where the next entry or the directory begins.
void read_local(const ByteSource& source, std::uint64_t limit, ZipEntry& entry) {
  const auto& place = source.place();
  const auto refuse_overlap = [&] {
    place.refuse(entry.header,
                 "the entry {} of {} bytes reaches beyond byte {}, where the next "
                 "entry or the directory begins; the file was cut short or is no honest one",
                 in_quotes(entry.name), entry.packed, limit);
  };
  if (entry.header > limit || limit - entry.header < local_size) refuse_overlap();
  std::array<std::byte, local_size> bytes;
  source.read_at(entry.header, bytes);
  const ZipRecord local{bytes};
  if (local.u32(0) != local_mark) {
    place.refuse(entry.header,
                 "there is no header of the entry {}; the directory is wrong, write "
                 "the file again",
                 in_quotes(entry.name));
  }
  const std::uint64_t name = local.u16(26), extra = local.u16(28);
  const auto room = limit - entry.header - local_size;
  if (name + extra > room || entry.packed > room - name - extra) refuse_overlap();
  std::vector<std::byte> rest(name + extra);
  source.read_at(entry.header + local_size, rest);
  entry.data = entry.header + local_size + rest.size();
  const std::span<const std::byte> tail(rest);
  const bool sizes_behind = (local.u16(6) & 8) != 0;
  std::uint64_t size = local.u32(22), packed = local.u32(18);
  resolve_zip64(tail.subspan(name), entry.header, place, {&size, &packed});
  const bool same_sizes =
      size == entry.size && packed == entry.packed && local.u32(14) == entry.checksum;
  if (as_text(tail.first(name)) != entry.name || local.u16(6) != entry.flags ||
      local.u16(8) != static_cast<std::uint16_t>(entry.method) || (!sizes_behind && !same_sizes)) {
    place.refuse(entry.header,
                 "the header of the entry {} differs from the directory in name, "
                 "flags, method, size or checksum; write the file again",
                 in_quotes(entry.name));
  }
}

// Reads the entry at the front of `left` and steps behind it.
ZipEntry read_central(const ByteSource& source, const ZipDirectory& directory,
                      std::span<const std::byte>& left) {
  const auto& place = source.place();
  const auto at = directory.begin + directory.size - left.size();
  if (left.size() < central_size || ZipRecord{left}.u32(0) != central_mark) {
    place.refuse(at,
                 "there is no directory entry, but {} entries are to be there; write the file "
                 "again",
                 directory.entries);
  }
  const ZipRecord central{left};
  const std::size_t name = central.u16(28), extra = central.u16(30), comment = central.u16(32);
  if (name + extra + comment > left.size() - central_size) {
    place.refuse(at + 28,
                 "a directory entry is to have {} more bytes, but {} are left; write the "
                 "file again",
                 name + extra + comment, left.size() - central_size);
  }
  ZipEntry entry;
  entry.name = as_text(left.subspan(central_size, name));
  entry.checksum = central.u32(16);
  entry.packed = central.u32(20);
  entry.size = central.u32(24);
  entry.header = central.u32(42);
  resolve_zip64(left.subspan(central_size + name, extra), at, place,
                {&entry.size, &entry.packed, &entry.header});
  const auto method = central.u16(10);
  if (method != 0 && method != 8) {
    place.refuse(at + 10,
                 "the entry {} is packed with method {}; expected 0 (stored) or 8 "
                 "(deflated); write it again with numpy.savez_compressed",
                 in_quotes(entry.name), method);
  }
  entry.method = static_cast<ZipMethod>(method);
  entry.flags = central.u16(8);
  check_flags(entry.flags, at + 8, place);
  check_sizes(entry, at + 20, place);
  left = left.subspan(central_size + name + extra + comment);
  return entry;
}

// In the order of the file: each header is then read up to the next one and no further, so that
// however many entries point to the same place, no byte is read twice.
void read_locals(const ByteSource& source, std::uint64_t directory,
                 std::vector<ZipEntry>& entries) {
  std::vector<ZipEntry*> order;
  order.reserve(entries.size());
  for (auto& entry : entries) order.push_back(&entry);
  std::sort(order.begin(), order.end(),
            [](const ZipEntry* a, const ZipEntry* b) { return a->header < b->header; });
  for (std::size_t i = 0; i < order.size(); ++i) {
    read_local(source, i + 1 < order.size() ? order[i + 1]->header : directory, *order[i]);
  }
}

}  // namespace

std::vector<ZipEntry> read_zip_directory(const ByteSource& source) {
  const auto directory = read_zip_end(source);
  const auto limit = directory.begin + directory.size;
  const auto& place = source.place();
  if (directory.entries > directory.size / central_size) {
    place.refuse(limit,
                 "{} entries are to be in a directory of {} bytes; each takes at least {}; "
                 "write the file again",
                 directory.entries, directory.size, central_size);
  }
  std::vector<std::byte> bytes;
  with_room(place, directory.size, [&] { bytes.resize(directory.size); });
  source.read_at(directory.begin, bytes);
  std::span<const std::byte> left(bytes);
  std::vector<ZipEntry> entries;
  entries.reserve(directory.entries);
  while (entries.size() < directory.entries) {
    entries.push_back(read_central(source, directory, left));
  }
  if (!left.empty()) {
    place.refuse(limit - left.size(),
                 "{} bytes are left behind the directory's {} entries; "
                 "expected none; write the file again",
                 left.size(), directory.entries);
  }
  read_locals(source, directory.begin, entries);
  return entries;
}

}  // namespace maskgrad::detail
