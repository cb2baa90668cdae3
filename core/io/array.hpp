#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include <maskgrad/core/dtype.hpp>

namespace maskgrad {

/// A plain dense array as files hold it: no mask, no gradient.
///   bytes: the elements in C order (last axis fastest), as they lie in memory; a bool is 0 or 1.
/// Reading converts what converts without loss: half and bfloat16 become f32, narrower integers
/// become i64 (unsigned 64-bit ones if every value fits), either byte order; others are refused.
struct Array {
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> bytes;

  /// How many elements the shape says; 1 for the shape [].
  std::int64_t size() const {
    std::int64_t count = 1;
    for (auto extent : shape) count *= extent;
    return count;
  }

  /// The elements; TypeError where they are not of type T.
  template <extend::Element T>
  std::span<const T> values() const {
    if (dtype != dtype_of<T>()) {
      fail<TypeError>("Array::values", "the array holds {}, but {} was asked for; use dtype first",
                      name(dtype), name(dtype_of<T>()));
    }
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }

  /// A copy of `values` in C order; ShapeError where their number is not that of the shape.
  template <extend::Element T>
  static Array of(std::vector<std::int64_t> shape, std::span<const T> values) {
    Array made{dtype_of<T>(), std::move(shape), {}};
    if (made.size() != static_cast<std::int64_t>(values.size())) {
      fail<ShapeError>("Array::of", "got {} values for a shape of {} elements; give one for each",
                       values.size(), made.size());
    }
    made.bytes.resize(values.size_bytes());
    if (!values.empty()) std::memcpy(made.bytes.data(), values.data(), values.size_bytes());
    return made;
  }

  bool operator==(const Array&) const = default;
};

/// An array of a file, by its name there.
struct NamedArray {
  std::string name;
  Array array;

  bool operator==(const NamedArray&) const = default;
};

/// Arrays by name, in the order of their file.
using NamedArrays = std::vector<NamedArray>;

}  // namespace maskgrad
