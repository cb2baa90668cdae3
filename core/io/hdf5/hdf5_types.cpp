#include <limits>

#include <maskgrad/core/io/hdf5/hdf5_messages.hpp>

// What stands in a message: "HDF5 File Format Specification Version 3.0", IV.A.2.

namespace maskgrad::detail {
namespace {

Hdf5Type integer(const Hdf5Type& type, std::uint32_t bits) {
  Hdf5Type made = type;
  const bool is_signed = (bits & 8) != 0;
  made.big_endian = (bits & 1) != 0;
  made.kind = Hdf5Type::Kind::number;
  switch (type.size) {
    case 1:
      made.number = is_signed ? FileType::i8 : FileType::u8;
      return made;
    case 2:
      made.number = is_signed ? FileType::i16 : FileType::u16;
      return made;
    case 4:
      made.number = is_signed ? FileType::i32 : FileType::u32;
      return made;
    case 8:
      made.number = is_signed ? FileType::i64 : FileType::u64;
      return made;
    default:
      return type;
  }
}

// IEEE's formats, and bfloat16, by where their exponent is and how wide.
Hdf5Type real(const Hdf5Type& type, std::uint32_t bits, Hdf5Cursor& in) {
  Hdf5Type made = type;
  in.skip(4);  // offset and precision
  const auto exponent_at = in.u8(), exponent = in.u8();
  in.skip(6);
  made.big_endian = (bits & 1) != 0;
  made.kind = Hdf5Type::Kind::number;
  const auto is = [&](std::uint32_t size, int at, int width) {
    return type.size == size && exponent_at == at && exponent == width;
  };
  if (is(4, 23, 8)) return made.number = FileType::f32, made;
  if (is(8, 52, 11)) return made.number = FileType::f64, made;
  if (is(2, 10, 5)) return made.number = FileType::f16, made;
  if (is(2, 7, 8)) return made.number = FileType::bf16, made;
  return type;
}

}  // namespace

Hdf5Type read_hdf5_type(Hdf5Cursor& in) {
  const auto kind = in.u8() & 15;
  const auto bits = static_cast<std::uint32_t>(in.number(3));
  Hdf5Type type{.size = in.u32()};
  constexpr int is_integer = 0, is_real = 1, is_text = 3, is_enum = 8, is_far = 9;
  if (kind == is_integer) {
    in.skip(4);
    return integer(type, bits);
  }
  if (kind == is_real) return real(type, bits, in);
  if (kind == is_text) return type.kind = Hdf5Type::Kind::text, type;
  // h5py writes truth values as an enum of two bytes.
  if (kind == is_enum && in.left() > 0) return read_hdf5_type(in);
  if (kind == is_far && (bits & 15) == 1) return type.kind = Hdf5Type::Kind::far_text, type;
  return type;
}

std::vector<std::int64_t> read_hdf5_space(Hdf5Cursor& in) {
  const auto version = in.u8(), rank = in.u8(), flags = in.u8();
  if (version != 1 && version != 2) in.refuse("a space of version {}; expected 1 or 2", version);
  if (rank > 32) in.refuse("{} axes; expected 32 or fewer", rank);
  (void)flags;
  const auto type = in.u8();
  if (version == 1) in.skip(4);
  if (version == 2 && type == 2) return {0};
  std::vector<std::int64_t> shape;
  for (int i = 0; i < rank; ++i) {
    const auto size = in.u64();
    if (size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      in.refuse("an axis of size {}", size);
    }
    shape.push_back(static_cast<std::int64_t>(size));
  }
  return shape;
}

Hdf5Layout read_hdf5_layout(const Place& place, const std::vector<Hdf5Message>& messages) {
  Hdf5Layout layout;
  bool found = false;
  for (const auto& message : messages) {
    Hdf5Cursor in(place, message.at, message.bytes);
    if (message.type == hdf5_message::external) {
      in.refuse("the values stand in another file, which is not read");
    }
    if (message.type == hdf5_message::filters) {
      const auto version = in.u8(), count = in.u8();
      if (version == 1) in.skip(6);
      for (int i = 0; i < count; ++i) {
        const auto id = in.u16();
        const auto length = version == 1 || id >= 256 ? in.u16() : std::uint16_t{0};
        in.skip(2);
        const auto values = in.u16();
        in.skip(version == 1 ? (length + 7u) / 8 * 8 : length);
        in.skip(std::uint64_t{4} * values + (version == 1 && values % 2 == 1 ? 4 : 0));
        layout.filters.push_back(id);
      }
    }
    if (message.type != hdf5_message::layout) continue;
    found = true;
    const auto version = in.u8(), kind = in.u8();
    if (version != 3 || kind > 2 || message.shared) {
      in.refuse("the values are laid out by version {}, kind {}; expected version 3, kind 0 to 2",
                version, kind);
    }
    layout.kind = static_cast<Hdf5Layout::Kind>(kind);
    if (kind == 0) {
      const auto bytes = in.take(in.u16());
      layout.compact.assign(bytes.begin(), bytes.end());
    } else if (kind == 1) {
      layout.at = in.u64();
      layout.size = in.u64();
    } else {
      const auto rank = in.u8();  // one more, the size of an element
      layout.at = in.u64();
      for (int i = 0; i + 1 < rank; ++i) layout.chunk.push_back(in.u32());
    }
  }
  if (!found) place.refuse(0, "a data set says not where its values are; {}", Hdf5Cursor::damaged);
  return layout;
}

}  // namespace maskgrad::detail
