#pragma once

#include <maskgrad/core/io/decode.hpp>
#include <maskgrad/core/io/hdf5/hdf5_cursor.hpp>

namespace maskgrad::detail {

/// A message of an object's header.
struct Hdf5Message {
  std::uint16_t type = 0;
  bool shared = false;  ///< its contents stand elsewhere
  std::uint64_t at = 0;
  std::vector<std::byte> bytes;
};

/// The types of messages that are read; the others are passed over.
namespace hdf5_message {
inline constexpr std::uint16_t dataspace = 0x01, link_info = 0x02, datatype = 0x03, link = 0x06,
                               external = 0x07, layout = 0x08, filters = 0x0b, attribute = 0x0c,
                               continuation = 0x10, symbol_table = 0x11;
}

/// All messages of the object whose header is at `header`, in both versions of headers. A header
/// takes at most a mebibyte.
std::vector<Hdf5Message> read_hdf5_header(const ByteSource& source, std::uint64_t header);

/// What the elements of a data set or an attribute are.
struct Hdf5Type {
  enum class Kind : std::uint8_t { number, text, far_text, other };
  Kind kind = Kind::other;
  FileType number = FileType::f32;
  bool big_endian = false;
  std::uint32_t size = 0;  ///< bytes of an element
};
Hdf5Type read_hdf5_type(Hdf5Cursor& in);
/// The sizes of the axes; none for a scalar. An empty space has one axis of size 0.
std::vector<std::int64_t> read_hdf5_space(Hdf5Cursor& in);

/// An attribute of texts; those of other types have none.
struct Hdf5Attribute {
  std::string name;
  std::vector<std::string> texts;
};
Hdf5Attribute read_hdf5_attribute(const ByteSource& source, const Hdf5Message& message);

/// Where a group's entries are.
struct Hdf5Link {
  std::string name;
  std::uint64_t header = hdf5_nowhere;
};
/// The entries of the group with these messages; links to names and other files are passed over.
std::vector<Hdf5Link> read_hdf5_links(const ByteSource& source,
                                      const std::vector<Hdf5Message>& messages);

/// Where a data set's elements are, and through which filters they went.
struct Hdf5Layout {
  enum class Kind : std::uint8_t { compact, contiguous, chunked };
  Kind kind = Kind::contiguous;
  std::vector<std::byte> compact;
  std::uint64_t at = hdf5_nowhere, size = 0;  ///< `at`: of the elements, or the tree of chunks
  std::vector<std::uint64_t> chunk;           ///< sizes of one, in elements
  std::vector<std::uint16_t> filters;         ///< in the order in which they were applied
};
Hdf5Layout read_hdf5_layout(const Place& place, const std::vector<Hdf5Message>& messages);

/// The elements' bytes in C order; `bytes` is how many there are, which the caller has checked.
std::vector<std::byte> read_hdf5_bytes(const ByteSource& source, const Hdf5Layout& layout,
                                       const std::vector<std::int64_t>& shape, std::uint32_t size,
                                       std::uint64_t bytes);

}  // namespace maskgrad::detail
