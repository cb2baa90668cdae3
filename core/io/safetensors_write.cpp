#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>

#include <maskgrad/core/io/atomic_file.hpp>
#include <maskgrad/core/io/bytes.hpp>
#include <maskgrad/core/io/checksum.hpp>
#include <maskgrad/core/io/safetensors_header.hpp>

namespace maskgrad {
namespace {

using detail::in_quotes;
using json = nlohmann::json;

// The header's length and the header, padded so that the data behind it are aligned.
std::string front_of(const NamedArrays& arrays, const std::vector<std::size_t>& order,
                     const Metadata& metadata) {
  std::vector<std::size_t> begins(arrays.size());
  std::size_t end = 0;
  for (auto at : order) {
    begins[at] = end;
    end += arrays[at].array.bytes.size();
  }
  std::string text = "{";
  if (!metadata.empty()) text += "\"__metadata__\":" + json(metadata).dump() + ",";
  for (std::size_t at = 0; at < arrays.size(); ++at) {
    const auto& [name, array] = arrays[at];
    const std::string_view type = array.dtype == DType::f32   ? "F32"
                                  : array.dtype == DType::f64 ? "F64"
                                  : array.dtype == DType::i64 ? "I64"
                                                              : "BOOL";
    text += json(name).dump() + ":{\"dtype\":\"" + std::string(type) +
            "\",\"shape\":" + json(array.shape).dump() +
            ",\"data_offsets\":" + json({begins[at], begins[at] + array.bytes.size()}).dump() +
            "},";
  }
  if (text.size() > 1) text.pop_back();
  text += '}';
  text.append((8 - text.size() % 8) % 8, ' ');
  std::string front;
  for (int i = 0; i < 8; ++i) front += static_cast<char>(text.size() >> (8 * i) & 255);
  return front + text;
}

void check_given(std::string_view where, const NamedArrays& arrays, const Metadata& metadata) {
  std::vector<std::string> names;
  for (const auto& [name, array] : arrays) {
    detail::check_array(where, name, array);
    if (!detail::is_utf8(name) || name.find('\0') != name.npos || name == "__metadata__") {
      fail<FileError>(where,
                      "the name {} is '__metadata__', holds a NUL or is not UTF-8; give "
                      "another name",
                      in_quotes(name));
    }
    names.push_back(name);
  }
  const detail::NameIndex index(std::move(names));
  if (const auto twice = index.repeated()) {
    fail<FileError>(where, "the name {} comes twice; give every array a name of its own",
                    in_quotes(arrays[*twice].name));
  }
  for (const auto& [key, text] : metadata) {
    if (key == detail::checksum_key) {
      fail<FileError>(where, "the metadata {} are made when a file is written; leave them out",
                      in_quotes(key));
    }
    if (detail::is_utf8(key) && detail::is_utf8(text)) continue;
    fail<FileError>(where, "the metadata {} are not UTF-8; give texts only", in_quotes(key));
  }
}

// Puts the checksum where zeros stand for it.
void put_checksum(std::string& front, const NamedArrays& arrays,
                  const std::vector<std::size_t>& order) {
  auto crc = detail::crc32(0, detail::as_bytes(front));
  for (auto at : order) crc = detail::crc32(crc, arrays[at].array.bytes);
  const auto value = detail::checksum_value(crc).substr(detail::checksum_text.size());
  front.replace(detail::find_checksum(front).value(), value.size(), value);
}

// Hands the file's bytes to `sink`, wide elements first.
void write_parts(std::string_view where, const NamedArrays& arrays, const Metadata& metadata,
                 Checksum checksum, const std::function<void(std::span<const std::byte>)>& sink) {
  check_given(where, arrays, metadata);
  std::vector<std::size_t> order(arrays.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return size_of(arrays[a].array.dtype) > size_of(arrays[b].array.dtype);
  });
  auto written = metadata;
  if (checksum == Checksum::crc32) {
    written.emplace(detail::checksum_key, detail::checksum_value(0));
  }
  auto front = front_of(arrays, order, written);
  if (front.size() - 8 > detail::max_safetensors_header) {
    fail<FileError>(where,
                    "the header would have {} bytes; expected at most {}; write fewer arrays "
                    "or less metadata",
                    front.size() - 8, detail::max_safetensors_header);
  }
  if (checksum == Checksum::crc32) put_checksum(front, arrays, order);
  sink(detail::as_bytes(front));
  for (auto at : order) sink(arrays[at].array.bytes);
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, const NamedArrays& arrays,
                       const Metadata& metadata, Checksum checksum) {
  AtomicFile file(path, "write_safetensors");
  write_parts("write_safetensors", arrays, metadata, checksum,
              [&](auto bytes) { file.write(bytes); });
  file.commit();
}

std::vector<std::byte> detail::safetensors_bytes(const NamedArrays& arrays,
                                                 const Metadata& metadata, Checksum checksum) {
  std::vector<std::byte> made;
  write_parts("safetensors_bytes", arrays, metadata, checksum,
              [&](auto bytes) { made.insert(made.end(), bytes.begin(), bytes.end()); });
  return made;
}

}  // namespace maskgrad
