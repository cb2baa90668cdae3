#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <maskgrad/core/io/array.hpp>

namespace maskgrad::detail {

class ByteSource;
class ByteStream;
class CrcWatch;
struct Layout;

/// An array in a file of which rows are read as they are asked for (a row is what stands at one
/// place of its first axis), so that arrays larger than memory can be used. Rows of C-ordered
/// arrays in .npy, .safetensors and stored .npz entries are read from the file; a deflated entry
/// and a Fortran-ordered array are loaded whole, in their own type. Copies share the file; any
/// number of threads may read. The checksum
/// of a stored zip entry is known when each of its rows was read once: the read that ends this
/// throws where it is wrong.
class ArrayRows {
 public:
  ArrayRows() = default;
  /// Elements of `dtype` in C order that lie in memory; `keeper` is what keeps them there.
  ArrayRows(DType dtype, std::vector<std::int64_t> shape, std::span<const std::byte> bytes,
            std::shared_ptr<const void> keeper, std::string name);
  /// For readers of files: elements at `offset` of `source`.
  ArrayRows(std::shared_ptr<const ByteSource> source, std::uint64_t offset, const Layout& layout,
            std::string name, std::shared_ptr<CrcWatch> watch = {});
  /// For readers of files: all elements that `in` still has, loaded now.
  ArrayRows(ByteStream& in, const Layout& layout);

  const std::vector<std::int64_t>& shape() const { return shape_; }
  /// What it is read as where nothing else is asked for.
  DType dtype() const;
  std::int64_t rows() const { return shape_.empty() ? 1 : shape_[0]; }
  /// Elements of a row.
  std::int64_t width() const { return width_; }
  /// Whether rows come from a file and not from memory.
  bool in_file() const;
  /// The file and entry, for messages.
  const std::string& name() const;

  /// Rows first ... first + count - 1 converted to `dtype`: integers to any real type, reals among
  /// each other, whole reals to i64. `to` has room for count * width() elements.
  /// Throws:   FileError where a value does not convert or the file cannot be read; IndexError for
  ///           rows that are not there.
  void read(std::int64_t first, std::int64_t count, DType dtype, std::byte* to) const;
  /// The whole array.
  Array read_all() const;
  /// The same elements with the first two axes as one.
  ArrayRows merged() const;

 private:
  struct Parts;
  /// StateError where it was default-made.
  const Parts& parts() const;

  std::shared_ptr<const Parts> parts_;
  std::vector<std::int64_t> shape_;
  std::int64_t width_ = 1;
};

/// The rows of an `.npy` file.
ArrayRows npy_rows(const std::filesystem::path& path);
/// The texts of an `.npy` file that holds a one-dimensional array of them, as UTF-8.
std::vector<std::string> npy_texts(const std::filesystem::path& path);

}  // namespace maskgrad::detail
