#include <maskgrad/core/io/decode.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

namespace maskgrad::detail {
namespace {

static_assert(std::endian::native == std::endian::little,
              "elements are written as they lie in memory, and files are little-endian");

// One converter for each type of a file: the bits it is stored in, what it becomes, and how.
template <class Stored>
struct Same {
  using Raw = Stored;
  using Out = Stored;
  static Out convert(Raw raw) { return raw; }
};

template <class Stored>
struct Widened {
  using Raw = Stored;
  using Out = std::int64_t;
  static Out convert(Raw raw) { return static_cast<Out>(raw); }
};

struct Brain {
  using Raw = std::uint16_t;
  using Out = float;
  static Out convert(Raw raw) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(raw) << 16);
  }
};

struct Half {
  using Raw = std::uint16_t;
  using Out = float;
  static Out convert(Raw raw) {
    const std::uint32_t sign = (raw & 0x8000u) << 16, exponent = (raw >> 10) & 31u,
                        rest = raw & 1023u;
    // Subnormal halves are normal floats: rest * 2^-24, exactly.
    if (exponent == 0)
      return std::copysign(std::ldexp(static_cast<float>(rest), -24), sign ? -1.f : 1.f);
    const std::uint32_t wide = exponent == 31 ? 255u : exponent + 112u;
    return std::bit_cast<float>(sign | (wide << 23) | (rest << 13));
  }
};

template <class F>
decltype(auto) dispatch_file(FileType type, F&& f) {
  switch (type) {
    case FileType::f16:
      return f.template operator()<Half>();
    case FileType::bf16:
      return f.template operator()<Brain>();
    case FileType::f32:
      return f.template operator()<Same<float>>();
    case FileType::f64:
      return f.template operator()<Same<double>>();
    case FileType::i8:
      return f.template operator()<Widened<std::int8_t>>();
    case FileType::i16:
      return f.template operator()<Widened<std::int16_t>>();
    case FileType::i32:
      return f.template operator()<Widened<std::int32_t>>();
    case FileType::i64:
      return f.template operator()<Same<std::int64_t>>();
    case FileType::u8:
      return f.template operator()<Widened<std::uint8_t>>();
    case FileType::u16:
      return f.template operator()<Widened<std::uint16_t>>();
    case FileType::u32:
      return f.template operator()<Widened<std::uint32_t>>();
    case FileType::u64:
      return f.template operator()<Widened<std::uint64_t>>();
    default:
      return f.template operator()<Same<std::uint8_t>>();
  }
}

// Walks the elements in Fortran order and says where each lies in C order.
class FortranWalk {
 public:
  explicit FortranWalk(const std::vector<std::int64_t>& shape)
      : shape_(shape), index_(shape.size(), 0), stride_(shape.size(), 1) {
    for (std::size_t axis = shape.size(); axis-- > 1;) {
      stride_[axis - 1] = stride_[axis] * shape[axis];
    }
  }

  std::int64_t place() const { return place_; }

  void step() {
    for (std::size_t axis = 0; axis < shape_.size(); ++axis) {
      place_ += stride_[axis];
      if (++index_[axis] < shape_[axis]) return;
      place_ -= stride_[axis] * shape_[axis];
      index_[axis] = 0;
    }
  }

 private:
  const std::vector<std::int64_t>& shape_;
  std::vector<std::int64_t> index_, stride_;
  std::int64_t place_ = 0;
};

template <class Kind>
void check_value(typename Kind::Raw raw, FileType type, std::uint64_t offset, const Place& place) {
  if constexpr (std::is_same_v<typename Kind::Raw, std::uint64_t>) {
    if (raw > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      place.refuse(offset,
                   "an unsigned 64-bit element is {}, which does not fit i64 (at most "
                   "9223372036854775807); write it as int64 or float64",
                   raw);
    }
  }
  if constexpr (std::is_same_v<Kind, Same<std::uint8_t>>) {
    if (type == FileType::boolean && raw > 1) {
      place.refuse(offset,
                   "a bool element is the byte {}; expected 0 or 1; write it as uint8 or "
                   "repair it",
                   raw);
    }
  }
}

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
      std::array<std::byte, sizeof(Raw)> bytes;
      std::memcpy(bytes.data(), buffer.data() + i * sizeof(Raw), sizeof(Raw));
      if (layout.big_endian) std::reverse(bytes.begin(), bytes.end());
      const auto raw = std::bit_cast<Raw>(bytes);
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
  made.bytes.resize(*bytes / size_of(layout.type) * size_of(made.dtype));
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
