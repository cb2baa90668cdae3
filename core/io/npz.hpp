#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include <maskgrad/core/io/array_rows.hpp>

namespace maskgrad {

/// Reads single arrays of a NumPy `.npz` file (zip, stored or deflated) without loading the rest.
/// Opening checks the whole directory: entries that overlap, leave the file, come twice, are not
/// `.npy`, or claim to inflate by more than deflate can (1032 times) are refused.
///   Reading allocates at most 32 times the bytes of an entry and 1 MiB; a deflated entry counts
///   with its inflated bytes, which are at most 1032 times those in the file.
/// One thread at a time may use a reader.
/// Throws: FileError with file, entry, byte offset, what is there and what was expected.
class NpzReader {
 public:
  explicit NpzReader(const std::filesystem::path& path);
  /// From memory, which must outlive the reader; `name` stands for the file in messages.
  NpzReader(std::span<const std::byte> bytes, std::string_view name);
  NpzReader(NpzReader&&) noexcept;
  NpzReader& operator=(NpzReader&&) noexcept;
  ~NpzReader();

  /// Names without `.npy`, in the order of the file.
  const std::vector<std::string>& names() const;
  bool contains(std::string_view name) const;
  Array read(std::string_view name) const;
  /// The array's rows, read from the file as they are asked for where the entry is stored; they
  /// outlive the reader (for a reader of memory, as long as the memory does).
  detail::ArrayRows rows(std::string_view name) const;
  /// The texts of a one-dimensional array of them, as UTF-8.
  std::vector<std::string> texts(std::string_view name) const;
  NamedArrays read_all() const;
  /// Reads the whole entry once: FileError where its checksum is not that of the directory. Reading
  /// an array or texts whole does the same; rows of a stored entry do not.
  void verify(std::string_view name) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

enum class Compression { stored, deflated };

/// Every array of an `.npz` file; see NpzReader.
NamedArrays read_npz(const std::filesystem::path& path);
NamedArrays parse_npz(std::span<const std::byte> bytes, std::string_view name);

/// Writes an `.npz` file; it is replaced as a whole or not at all. Equal arrays give equal bytes.
/// Throws: FileError where the system refuses or a name is empty, comes twice, is not UTF-8, is
/// absolute or holds `..`, `\` or NUL; ShapeError where bytes and shape do not fit.
void write_npz(const std::filesystem::path& path, const NamedArrays& arrays,
               Compression compression = Compression::stored);

/// What `write_npz` writes.
std::vector<std::byte> npz_bytes(const NamedArrays& arrays,
                                 Compression compression = Compression::stored);

}  // namespace maskgrad
