#pragma once

#include <maskgrad/core/io/decode.hpp>
#include <maskgrad/core/io/name_index.hpp>
#include <maskgrad/core/io/safetensors.hpp>

namespace maskgrad::detail {

/// The limit of the format's own implementation.
inline constexpr std::uint64_t max_safetensors_header = 100'000'000;

/// Where an array lies, in bytes behind the header, and how.
struct SafetensorsEntry {
  Layout layout;
  std::uint64_t begin = 0, end = 0;
};

struct SafetensorsHeader {
  std::vector<std::string> names;
  std::vector<SafetensorsEntry> entries;  ///< one for each name
  Metadata metadata;
};

/// What the JSON `text` of a header says; `offset` is where it begins in the file. Anything but
/// the format's own fields is refused, keys that come twice too.
SafetensorsHeader parse_safetensors_json(std::span<const std::byte> text, std::uint64_t offset,
                                         const Place& place);

}  // namespace maskgrad::detail
