#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include <maskgrad/core/io/decode.hpp>

namespace maskgrad::detail {

/// One converter for each type of a file: the bits it is stored in, what it becomes, and how.
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

/// Walks the elements in Fortran order and says where each lies in C order.
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

/// The bits that stand at `from`, in either byte order.
template <class Raw>
Raw raw_at(const std::byte* from, bool big_endian) {
  std::array<std::byte, sizeof(Raw)> bytes;
  std::memcpy(bytes.data(), from, sizeof(Raw));
  if (big_endian) std::reverse(bytes.begin(), bytes.end());
  return std::bit_cast<Raw>(bytes);
}

/// Refuses what no element of this library is.
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

}  // namespace maskgrad::detail
