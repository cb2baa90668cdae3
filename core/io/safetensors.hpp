#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string_view>

#include <maskgrad/core/io/array_rows.hpp>

namespace maskgrad {

/// The `__metadata__` of a safetensors file.
using Metadata = std::map<std::string, std::string>;

/// What a safetensors file holds.
struct Safetensors {
  NamedArrays arrays;
  Metadata metadata;

  bool operator==(const Safetensors&) const = default;
};

namespace detail {

/// Reads single arrays of a `.safetensors` file without loading the rest.
/// Opening checks the whole header: arrays that overlap, leave the file, leave a hole, come twice
/// or have sizes that do not fit are refused; so are headers over 100 MB.
///   Opening and reading allocate at most 32 times the file's size and 1 MiB.
/// One thread at a time may use a reader.
/// Throws: FileError with file, byte offset, what is there and what was expected.
/// Source: Hugging Face, "Safetensors: Format".
class SafetensorsReader {
 public:
  explicit SafetensorsReader(const std::filesystem::path& path);
  /// From memory, which must outlive the reader; `name` stands for the file in messages.
  SafetensorsReader(std::span<const std::byte> bytes, std::string_view name);
  SafetensorsReader(SafetensorsReader&&) noexcept;
  SafetensorsReader& operator=(SafetensorsReader&&) noexcept;
  ~SafetensorsReader();

  /// In the order of the header.
  const std::vector<std::string>& names() const;
  const Metadata& metadata() const;  ///< without the checksum
  bool contains(std::string_view name) const;
  Array read(std::string_view name) const;
  /// The array's rows, read from the file as they are asked for; they outlive the reader (for a
  /// reader of memory, as long as the memory does).
  ArrayRows rows(std::string_view name) const;
  NamedArrays read_all() const;
  /// Reads the whole file once and compares it with the checksum that it carries: FileError where a
  /// byte changed since it was written. False where it carries none, as those of other writers.
  bool verify() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace detail

/// All of a safetensors file, verified; see SafetensorsReader.
Safetensors read_safetensors(const std::filesystem::path& path);

/// What a file says of its own bytes, so that one that changed is found; models, checkpoints and
/// weights have it.
enum class Checksum { none, crc32 };

/// Writes F32, F64, I64 and BOOL, the header in the order given, the data wide elements first so
/// that every array is aligned; the file is replaced as a whole or not at all. A checksum goes to
/// the metadata, where other readers see a text.
/// Throws: FileError where the system refuses or a name or text is not UTF-8, comes twice, holds
/// NUL, or is `__metadata__`; ShapeError where bytes and shape do not fit.
void write_safetensors(const std::filesystem::path& path, const NamedArrays& arrays,
                       const Metadata& metadata = {}, Checksum checksum = Checksum::none);

namespace detail {

/// What `read_safetensors` makes of bytes in memory; `name` stands for the file in messages.
Safetensors parse_safetensors(std::span<const std::byte> bytes, std::string_view name);
/// What `write_safetensors` writes.
std::vector<std::byte> safetensors_bytes(const NamedArrays& arrays, const Metadata& metadata = {},
                                         Checksum checksum = Checksum::none);

}  // namespace detail
}  // namespace maskgrad
