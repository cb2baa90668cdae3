#include <maskgrad/core/io/safetensors.hpp>

#include <algorithm>
#include <array>
#include <numeric>

#include <maskgrad/core/io/bytes.hpp>
#include <maskgrad/core/io/checksum.hpp>
#include <maskgrad/core/io/safetensors_header.hpp>

namespace maskgrad {
namespace {

using detail::in_quotes;

constexpr std::uint64_t length_size = 8;

struct FileChecksum {
  std::uint64_t at = 0;  // of the digits in the file
  std::string value;     // empty where there is none
};

// Takes the checksum out of the metadata. A damaged key or text is one of the two still.
FileChecksum take_checksum(Metadata& metadata, std::string_view header,
                           const detail::Place& place) {
  const auto known = [](const Metadata::value_type& entry) {
    return entry.first == detail::checksum_key || entry.second.starts_with(detail::checksum_text);
  };
  const auto entry = std::find_if(metadata.begin(), metadata.end(), known);
  if (entry == metadata.end()) return {};
  const auto at = detail::find_checksum(header);
  if (entry->first != detail::checksum_key || !at ||
      entry->second.size() != detail::checksum_text.size() + detail::checksum_digits) {
    place.refuse(length_size,
                 "the checksum {} in the metadata is damaged; expected '{}' and {} digits; take "
                 "another copy of the file",
                 in_quotes(entry->second), detail::checksum_text, detail::checksum_digits);
  }
  FileChecksum found{length_size + *at, std::move(entry->second)};
  metadata.erase(entry);
  return found;
}

// Reads the length of the header, then the header.
detail::SafetensorsHeader read_header(const detail::ByteSource& source, std::uint64_t& data,
                                      FileChecksum& checksum) {
  const auto& place = source.place();
  std::array<std::byte, length_size> field;
  source.read_at(0, field);
  const auto length = detail::little_endian(field);
  if (length > detail::max_safetensors_header) {
    place.refuse(0,
                 "the header is to have {} bytes; expected at most {}; this is no safetensors "
                 "file, or a damaged one",
                 length, detail::max_safetensors_header);
  }
  if (length > source.size() - length_size) {
    place.refuse(0,
                 "the header is to have {} bytes, but {} follow; the file was cut short, make it "
                 "again",
                 length, source.size() - length_size);
  }
  std::vector<std::byte> text(length);
  source.read_at(length_size, text);
  data = length_size + length;
  auto header = detail::parse_safetensors_json(text, length_size, place);
  checksum = take_checksum(header.metadata, detail::as_text(text), place);
  return header;
}

void check_entry_size(const std::string& name, const detail::SafetensorsEntry& entry,
                      std::uint64_t data, std::uint64_t left, const detail::Place& place) {
  if (entry.begin > entry.end || entry.end > left) {
    place.refuse(data,
                 "the array {} is to lie at bytes {} to {} of the data; expected a stretch of "
                 "its {} bytes; the file was cut short or is no honest one",
                 in_quotes(name), entry.begin, entry.end, left);
  }
  const auto needed = detail::byte_count(entry.layout);
  if (!needed || *needed != entry.end - entry.begin) {
    place.refuse(data + entry.begin,
                 "the array {} has {} bytes; its shape of {} axes and its type "
                 "of {} bytes need {}; write the file again",
                 in_quotes(name), entry.end - entry.begin, entry.layout.shape.size(),
                 detail::size_of(entry.layout.type),
                 needed ? std::to_string(*needed) : "more than can be counted");
  }
}

// The arrays must cover the data from end to end, each byte once.
void check_cover(const std::vector<std::string>& names,
                 const std::vector<detail::SafetensorsEntry>& entries, std::uint64_t data,
                 std::uint64_t left, const detail::Place& place) {
  std::vector<std::size_t> order(entries.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(entries[a].begin, entries[a].end) <
           std::pair(entries[b].begin, entries[b].end);
  });
  std::uint64_t end = 0;
  for (auto at : order) {
    if (entries[at].begin != end) {
      place.refuse(data + end,
                   "the array {} begins at byte {} of the data; expected {}, where the "
                   "one before ends: arrays may neither overlap nor leave holes",
                   in_quotes(names[at]), entries[at].begin, end);
    }
    end = entries[at].end;
  }
  if (end != left) {
    place.refuse(data + end, "{} bytes follow the last array; expected the end of the file",
                 left - end);
  }
}

}  // namespace

namespace detail {

struct SafetensorsReader::Parts {
  template <class... Args>
  explicit Parts(Args&&... args)
      : source(std::make_shared<ByteSource>(std::forward<Args>(args)...)) {
    auto header = read_header(*source, data, checksum);
    index = NameIndex(std::move(header.names));
    entries = std::move(header.entries);
    metadata = std::move(header.metadata);
    const auto& place = source->place();
    if (const auto twice = index.repeated()) {
      place.refuse(length_size,
                   "the array {} comes twice in the header; expected every name once; "
                   "write the file again",
                   in_quotes(index.names()[*twice]));
    }
    const auto left = source->size() - data;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      check_entry_size(index.names()[i], entries[i], data, left, place);
    }
    check_cover(index.names(), entries, data, left, place);
  }

  Array read(std::size_t at) const {
    const auto& entry = entries[at];
    SourceStream in(*source, data + entry.begin, data + entry.end);
    return decode(entry.layout, in);
  }

  std::size_t require(std::string_view name) const { return index.require(name, source->place()); }

  std::shared_ptr<const ByteSource> source;
  NameIndex index;
  std::vector<SafetensorsEntry> entries;
  Metadata metadata;
  FileChecksum checksum;
  std::uint64_t data = 0;
};

SafetensorsReader::SafetensorsReader(const std::filesystem::path& path)
    : parts_(std::make_unique<Parts>(path, "read_safetensors")) {}
SafetensorsReader::SafetensorsReader(std::span<const std::byte> bytes, std::string_view name)
    : parts_(std::make_unique<Parts>(bytes, name, "parse_safetensors")) {}
SafetensorsReader::SafetensorsReader(SafetensorsReader&&) noexcept = default;
SafetensorsReader& SafetensorsReader::operator=(SafetensorsReader&&) noexcept = default;
SafetensorsReader::~SafetensorsReader() = default;

const std::vector<std::string>& SafetensorsReader::names() const {
  return parts_->index.names();
}

const Metadata& SafetensorsReader::metadata() const {
  return parts_->metadata;
}

bool SafetensorsReader::contains(std::string_view name) const {
  return parts_->index.find(name).has_value();
}

Array SafetensorsReader::read(std::string_view name) const {
  return parts_->read(parts_->require(name));
}

ArrayRows SafetensorsReader::rows(std::string_view name) const {
  const auto& entry = parts_->entries[parts_->require(name)];
  return {parts_->source, parts_->data + entry.begin, entry.layout,
          parts_->source->place().file + ", array " + in_quotes(name)};
}

NamedArrays SafetensorsReader::read_all() const {
  NamedArrays arrays;
  arrays.reserve(names().size());
  for (std::size_t i = 0; i < names().size(); ++i) arrays.push_back({names()[i], parts_->read(i)});
  return arrays;
}

bool SafetensorsReader::verify() const {
  const auto& [at, value] = parts_->checksum;
  if (!value.empty()) verify_checksum(*parts_->source, at, value);
  return !value.empty();
}

}  // namespace detail

Safetensors read_safetensors(const std::filesystem::path& path) {
  const detail::SafetensorsReader reader(path);
  reader.verify();
  return {reader.read_all(), reader.metadata()};
}

Safetensors detail::parse_safetensors(std::span<const std::byte> bytes, std::string_view name) {
  const detail::SafetensorsReader reader(bytes, name);
  reader.verify();
  return {reader.read_all(), reader.metadata()};
}

}  // namespace maskgrad
