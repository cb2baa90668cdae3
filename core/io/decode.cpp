#include <maskgrad/core/io/decode.hpp>

#include <algorithm>

#include <maskgrad/core/io/file_kinds.hpp>
#include <maskgrad/core/io/room.hpp>

namespace maskgrad::detail {
namespace {

static_assert(std::endian::native == std::endian::little,
              "elements are written as they lie in memory, and files are little-endian");

// Reads in parts of 64 KiB, so that nothing is held twice.
template <class Kind>
void read_elements(const Layout& layout, ByteStream& in, std::vector<std::byte>& out) {
  using Raw = typename Kind::Raw;
  using Out = typename Kind::Out;
  constexpr std::size_t part = 65536 / sizeof(Raw);
  std::vector<std::byte> buffer(std::min(out.size() / sizeof(Out), part) * sizeof(Raw));
  FortranWalk walk(layout.shape);
  for (std::size_t at = 0; at < out.size() / sizeof(Out);) {
    const auto count = std::min(out.size() / sizeof(Out) - at, part);
    const auto offset = in.position();
    in.read({buffer.data(), count * sizeof(Raw)});
    for (std::size_t i = 0; i < count; ++i, ++at) {
      const auto raw = raw_at<Raw>(buffer.data() + i * sizeof(Raw), layout.big_endian);
      check_value<Kind>(raw, layout.type, offset + i * sizeof(Raw), in.place());
      const Out value = Kind::convert(raw);
      const auto to = layout.fortran ? static_cast<std::size_t>(walk.place()) : at;
      std::memcpy(out.data() + to * sizeof(Out), &value, sizeof(Out));
      if (layout.fortran) walk.step();
    }
  }
}

bool as_in_memory(const Layout& layout) {
  if (layout.big_endian || layout.fortran) return false;
  return layout.type == FileType::f32 || layout.type == FileType::f64 ||
         layout.type == FileType::i64;
}

}  // namespace

std::size_t size_of(FileType type) {
  return dispatch_file(type, []<class Kind>() { return sizeof(typename Kind::Raw); });
}

DType target(FileType type) {
  if (type == FileType::boolean) return DType::boolean;
  if (type == FileType::f64) return DType::f64;
  const bool real = type == FileType::f16 || type == FileType::bf16 || type == FileType::f32;
  return real ? DType::f32 : DType::i64;
}

std::optional<std::uint64_t> byte_count(const Layout& layout) {
  constexpr std::uint64_t most = std::uint64_t{1} << 62;
  std::uint64_t widest = 8;
  bool empty = false;
  for (auto extent : layout.shape) {
    if (extent < 0) return std::nullopt;
    if (extent == 0) {
      empty = true;
    } else if (static_cast<std::uint64_t>(extent) > most / widest) {
      return std::nullopt;
    } else {
      widest *= static_cast<std::uint64_t>(extent);
    }
  }
  return empty ? 0 : widest / 8 * size_of(layout.type);
}

Array decode(Layout layout, ByteStream& in) {
  const auto bytes = byte_count(layout);
  if (!bytes || *bytes > in.left()) {
    in.place().refuse(in.position(),
                      "the shape needs more bytes than the {} left here; the file was cut short",
                      in.left());
  }
  Array made{target(layout.type), layout.shape, {}};
  const auto size = *bytes / size_of(layout.type) * size_of(made.dtype);
  with_room(in.place(), size, [&] { made.bytes.resize(size); });
  if (as_in_memory(layout)) {
    in.read(made.bytes);
  } else {
    dispatch_file(layout.type, [&]<class Kind>() { read_elements<Kind>(layout, in, made.bytes); });
  }
  return made;
}

void check_array(std::string_view where, std::string_view name, const Array& array) {
  Layout layout;
  layout.type = array.dtype == DType::f32       ? FileType::f32
                : array.dtype == DType::boolean ? FileType::boolean
                                                : FileType::f64;
  layout.shape = array.shape;
  const auto bytes = byte_count(layout);
  if (!bytes || *bytes != array.bytes.size() || array.shape.size() > max_axes) {
    fail<ShapeError>(
        where,
        "array {} has {} axes and {} bytes of {}, which do not fit; give as many bytes as "
        "its shape needs, and at most {} axes",
        in_quotes(name), array.shape.size(), array.bytes.size(), maskgrad::name(array.dtype),
        max_axes);
  }
  if (array.dtype != DType::boolean) return;
  const auto odd = std::find_if(array.bytes.begin(), array.bytes.end(),
                                [](std::byte b) { return b > std::byte{1}; });
  if (odd != array.bytes.end()) {
    fail<TypeError>(where, "array {} of bool has the byte {}; give 0 or 1", in_quotes(name),
                    static_cast<int>(*odd));
  }
}

}  // namespace maskgrad::detail
