#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "files.hpp"

namespace files {

/// A zip file by hand, in which every field can lie.
struct ZipBuilder {
  struct Entry {
    std::string name, data;
    std::uint32_t checksum = 0, packed = 0, size = 0, header = 0;
    std::uint16_t flags = 0, method = 0;
    std::string extra, local_name, local_extra, before;
  };

  std::vector<Entry> entries;
  std::string body, before_end, comment;
  std::uint16_t disk = 0;
  int more_entries = 0;
  std::int64_t directory_shift = 0;

  /// Adds a stored entry whose fields are right.
  Entry& add(std::string_view name, std::string_view data) {
    Entry entry;
    entry.name = entry.local_name = name;
    entry.data = data;
    entry.checksum = crc(data);
    entry.packed = entry.size = static_cast<std::uint32_t>(data.size());
    entries.push_back(entry);
    return entries.back();
  }

  /// Lays the entries out one after the other; `header` is set, other fields are taken as they are.
  ZipBuilder& place() {
    for (auto& entry : entries) {
      body += entry.before;
      entry.header = static_cast<std::uint32_t>(body.size());
      body += number(0x04034b50, 4) + number(20, 2) + number(entry.flags, 2) +
              number(entry.method, 2) + number(0, 4) + number(entry.checksum, 4) +
              number(entry.packed, 4) + number(entry.size, 4) + number(entry.local_name.size(), 2) +
              number(entry.local_extra.size(), 2) + entry.local_name + entry.local_extra +
              entry.data;
    }
    return *this;
  }

  std::string directory() const {
    std::string made;
    for (const auto& entry : entries) {
      made += number(0x02014b50, 4) + number(20 | 20 << 16, 4) + number(entry.flags, 2) +
              number(entry.method, 2) + number(0, 4) + number(entry.checksum, 4) +
              number(entry.packed, 4) + number(entry.size, 4) + number(entry.name.size(), 2) +
              number(entry.extra.size(), 2) + number(0, 10) + number(entry.header, 4) + entry.name +
              entry.extra;
    }
    return made;
  }

  std::string file() const {
    const auto list = directory();
    const auto count = static_cast<std::uint64_t>(static_cast<int>(entries.size()) + more_entries);
    const auto begin =
        static_cast<std::uint64_t>(static_cast<std::int64_t>(body.size()) + directory_shift);
    return body + list + before_end + number(0x06054b50, 4) + number(disk, 2) + number(0, 2) +
           number(count, 2) + number(count, 2) + number(list.size(), 4) + number(begin, 4) +
           number(comment.size(), 2) + comment;
  }

  static std::uint32_t crc(std::string_view data) {
    std::uint32_t value = 0xFFFFFFFF;
    for (char c : data) {
      value ^= static_cast<unsigned char>(c);
      for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ (value & 1 ? 0xEDB88320 : 0);
    }
    return ~value;
  }
};

}  // namespace files
