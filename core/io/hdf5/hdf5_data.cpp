#include <zlib.h>

#include <cstring>
#include <set>

#include <maskgrad/core/io/hdf5/hdf5_messages.hpp>
#include <maskgrad/core/io/room.hpp>

// The values of data sets: "HDF5 File Format Specification Version 3.0", IV.A.2.i and III.A.1.

namespace maskgrad::detail {
namespace {

constexpr std::uint16_t deflate = 1, shuffle = 2, fletcher = 3;

std::vector<std::byte> inflated(const Hdf5Cursor& at, std::span<const std::byte> packed,
                                std::uint64_t bytes) {
  std::vector<std::byte> made(static_cast<std::size_t>(bytes));
  auto size = static_cast<uLongf>(bytes);
  const int status = ::uncompress(reinterpret_cast<Bytef*>(made.data()), &size,
                                  reinterpret_cast<const Bytef*>(packed.data()),
                                  static_cast<uLong>(packed.size()));
  if (status != Z_OK || size != bytes) at.refuse("a chunk cannot be inflated to {} bytes", bytes);
  return made;
}

// Byte j of element i was put at j * count + i.
std::vector<std::byte> unshuffled(std::span<const std::byte> from, std::uint32_t width) {
  std::vector<std::byte> made(from.begin(), from.end());
  const auto count = from.size() / width;
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < width; ++j) made[i * width + j] = from[j * count + i];
  }
  return made;
}

class Chunks {
 public:
  Chunks(const ByteSource& source, const Hdf5Layout& layout, const std::vector<std::int64_t>& shape,
         std::uint32_t width, std::vector<std::byte>& to)
      : source_(source), layout_(layout), shape_(shape), width_(width), to_(to) {
    Hdf5Cursor here(source_, 0, 0);
    if (layout.chunk.size() != shape.size() || shape.empty()) {
      here.refuse("chunks of {} axes in a data set of {}", layout.chunk.size(), shape.size());
    }
    bytes_ = width;
    for (const auto size : layout.chunk) {
      if (size == 0 || bytes_ > most / size) here.refuse("a chunk of more than {} bytes", most);
      bytes_ *= size;
    }
    for (const auto id : layout.filters) {
      if (id != deflate && id != shuffle && id != fletcher) {
        here.refuse("values went through the filter {}; expected gzip, shuffle or fletcher32", id);
      }
    }
    // Chunks reach over the ends, by less than one each way.
    check_room(source.place(), bytes_);
  }

  void node(std::uint64_t at, int depth = 0) {
    Hdf5Cursor in(source_, at, 24);
    if (depth > 64 || !seen_.insert(at).second) in.refuse("the tree of chunks has a loop");
    in.expect("TREE");
    if (in.u8() != 1) in.refuse("expected a tree of chunks");
    const auto level = in.u8();
    const auto count = in.u16();
    const auto key = 8 + 8 * (shape_.size() + 1);
    Hdf5Cursor entries(source_, at + 24, count * (key + 8) + key);
    for (int i = 0; i < count; ++i) {
      const auto size = entries.u32(), skipped = entries.u32();
      std::vector<std::uint64_t> offset;
      for (std::size_t axis = 0; axis < shape_.size(); ++axis) offset.push_back(entries.u64());
      entries.skip(8);
      const auto child = entries.u64();
      if (level > 0) {
        node(child, depth + 1);
      } else {
        put(chunk(child, size, skipped), offset, entries);
      }
    }
  }

 private:
  static constexpr std::uint64_t most = std::uint64_t{1} << 32;

  std::vector<std::byte> chunk(std::uint64_t at, std::uint32_t size, std::uint32_t skipped) {
    Hdf5Cursor in(source_, at, 0);
    if (!seen_.insert(at).second) in.refuse("a chunk comes twice");
    in = Hdf5Cursor(source_, at, size);
    const auto stored = in.take(size);
    std::vector<std::byte> bytes(stored.begin(), stored.end());
    for (std::size_t i = layout_.filters.size(); i-- > 0;) {
      if (i < 32 && (skipped >> i & 1)) continue;
      const auto id = layout_.filters[i];
      if (id == fletcher && bytes.size() >= 4) bytes.resize(bytes.size() - 4);
      if (id == deflate) {
        // A chunk holds at most what deflate can make of its bytes.
        if (bytes.size() < bytes_ / 1032)
          in.refuse("a chunk of {} bytes is to hold {}", size, bytes_);
        bytes = inflated(in, bytes, bytes_);
      }
      if (id == shuffle) bytes = unshuffled(bytes, width_);
    }
    if (bytes.size() != bytes_) in.refuse("a chunk of {} bytes; expected {}", bytes.size(), bytes_);
    return bytes;
  }

  /// Copies the lines of a chunk that lie inside of the data set.
  void put(const std::vector<std::byte>& from, const std::vector<std::uint64_t>& offset,
           const Hdf5Cursor& at) {
    const auto rank = shape_.size();
    std::vector<std::uint64_t> inside(rank);
    for (std::size_t axis = 0; axis < rank; ++axis) {
      const auto size = static_cast<std::uint64_t>(shape_[axis]);
      if (offset[axis] >= size) at.refuse("a chunk begins at {} of {}", offset[axis], size);
      inside[axis] = std::min(layout_.chunk[axis], size - offset[axis]);
    }
    std::vector<std::uint64_t> index(rank, 0);
    for (;;) {
      std::uint64_t read = 0, write = 0;
      for (std::size_t axis = 0; axis < rank; ++axis) {
        read = read * layout_.chunk[axis] + index[axis];
        write = write * static_cast<std::uint64_t>(shape_[axis]) + offset[axis] + index[axis];
      }
      std::memcpy(to_.data() + write * width_, from.data() + read * width_, inside.back() * width_);
      std::size_t axis = rank - 1;
      while (axis > 0 && ++index[axis - 1] == inside[axis - 1]) index[--axis] = 0;
      if (axis == 0) return;
    }
  }

  const ByteSource& source_;
  const Hdf5Layout& layout_;
  const std::vector<std::int64_t>& shape_;
  std::uint32_t width_;
  std::uint64_t bytes_ = 0;
  std::vector<std::byte>& to_;
  std::set<std::uint64_t> seen_;
};

}  // namespace

std::vector<std::byte> read_hdf5_bytes(const ByteSource& source, const Hdf5Layout& layout,
                                       const std::vector<std::int64_t>& shape, std::uint32_t size,
                                       std::uint64_t bytes) {
  Hdf5Cursor here(source, 0, 0);
  std::vector<std::byte> made;
  if (layout.kind == Hdf5Layout::Kind::compact) {
    if (layout.compact.size() < bytes)
      here.refuse("{} bytes; expected {}", layout.compact.size(), bytes);
    made.assign(layout.compact.begin(),
                layout.compact.begin() + static_cast<std::ptrdiff_t>(bytes));
  } else if (layout.at == hdf5_nowhere || bytes == 0) {  // nothing was ever written
    with_room(source.place(), bytes, [&] { made.resize(static_cast<std::size_t>(bytes)); });
  } else if (layout.kind == Hdf5Layout::Kind::contiguous) {
    Hdf5Cursor in(source, layout.at, bytes);
    const auto all = in.take(bytes);
    made.assign(all.begin(), all.end());
  } else {
    with_room(source.place(), bytes, [&] { made.resize(static_cast<std::size_t>(bytes)); });
    Chunks(source, layout, shape, size, made).node(layout.at);
  }
  return made;
}

}  // namespace maskgrad::detail
