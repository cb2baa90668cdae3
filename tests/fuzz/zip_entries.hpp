#pragma once

#include <maskgrad/core/io/zip_entry.hpp>
#include <maskgrad/core/io/zip_write.hpp>

#include <random>
#include <string>
#include <vector>

#include "fuzz.hpp"

namespace fuzz {

using namespace maskgrad;

struct Entry {
  std::string name;
  Bytes bytes;
};

inline std::vector<Entry> unpacked(std::span<const std::byte> input) {
  std::vector<Entry> made;
  const detail::ByteSource source(input, "input.zip", "fuzz");
  for (const auto& entry : detail::read_zip_directory(source)) {
    if (entry.size > 65536) continue;
    detail::ZipEntryStream in(source, entry);
    made.push_back({entry.name, Bytes(entry.size)});
    in.read(made.back().bytes);
  }
  return made;
}

/// Every other mutation changes an entry and packs it again, with its checksum and sizes right, so
/// that mutations reach what lies behind them. An entry grows up to `longest` bytes.
inline std::size_t mutate_zip(std::uint8_t* data, std::size_t size, std::size_t most,
                              std::minstd_rand& random, std::size_t longest, bool deflated) {
  if (random() % 2 == 0) return LLVMFuzzerMutate(data, size, most);
  try {
    auto entries = unpacked(span_of(data, size));
    if (entries.empty()) return LLVMFuzzerMutate(data, size, most);
    auto& chosen = entries[random() % entries.size()];
    chosen.bytes = mutated(chosen.bytes, longest);
    std::vector<detail::ZipPart> parts;
    for (const auto& entry : entries) parts.push_back({entry.name, entry.bytes, {}});
    Bytes made;
    detail::write_zip("fuzz", parts, deflated,
                      [&](auto bytes) { made.insert(made.end(), bytes.begin(), bytes.end()); });
    return replace(data, size, most, made);
  } catch (const FileError&) {
    return LLVMFuzzerMutate(data, size, most);
  }
}

}  // namespace fuzz
