#pragma once

#include <optional>
#include <string_view>

#include <maskgrad/core/io/array.hpp>
#include <maskgrad/core/io/byte_source.hpp>

namespace maskgrad::detail {

/// The element types that files have and that convert without loss.
enum class FileType : std::uint8_t {
  f16,
  bf16,
  f32,
  f64,
  i8,
  i16,
  i32,
  i64,
  u8,
  u16,
  u32,
  u64,
  boolean
};

std::size_t size_of(FileType type);
/// What the type is read as.
DType target(FileType type);

/// How an array lies in a file.
struct Layout {
  FileType type = FileType::f32;
  bool big_endian = false;
  bool fortran = false;  ///< first axis fastest
  std::vector<std::int64_t> shape;
};

/// More axes than any library writes; keeps hostile headers small.
inline constexpr std::size_t max_axes = 64;

/// The bytes that an array of this shape takes in a file; nothing where that number, or the
/// array's size here, does not fit 62 bits even with the axes of extent 0 left out.
std::optional<std::uint64_t> byte_count(const Layout& layout);

/// Reads the elements from `in`, which must have `byte_count(layout)` bytes left: the caller has
/// compared the two, so that what is allocated here is at most 8 times what the file holds.
Array decode(Layout layout, ByteStream& in);

/// Throws where the bytes of `array` do not fit its shape and dtype; `name` is for the message.
void check_array(std::string_view where, std::string_view name, const Array& array);

}  // namespace maskgrad::detail
