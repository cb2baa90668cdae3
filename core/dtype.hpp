#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include <maskgrad/core/error.hpp>

namespace maskgrad {

/// Element types: reals in two widths, ids, truth values (one byte each).
enum class DType : std::uint8_t { f32, f64, i64, boolean };

/// The type as text, as `f32`.
constexpr std::string_view name(DType t) {
  switch (t) {
    case DType::f32:
      return "f32";
    case DType::f64:
      return "f64";
    case DType::i64:
      return "i64";
    case DType::boolean:
      return "bool";
  }
  return "?";
}

/// Bytes of an element.
constexpr std::size_t size_of(DType t) {
  switch (t) {
    case DType::f32:
      return 4;
    case DType::f64:
      return 8;
    case DType::i64:
      return 8;
    case DType::boolean:
      return 1;
  }
  return 0;
}

/// Whether it is f32 or f64.
constexpr bool is_real(DType t) {
  return t == DType::f32 || t == DType::f64;
}

namespace extend {

template <class T>
concept Element = std::is_same_v<T, float> || std::is_same_v<T, double> ||
    std::is_same_v<T, std::int64_t> || std::is_same_v<T, bool>;

template <class T>
concept Real = std::is_same_v<T, float> || std::is_same_v<T, double>;

}  // namespace extend

/// The type of elements that C++ calls T.
template <extend::Element T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, float>) return DType::f32;
  if constexpr (std::is_same_v<T, double>) return DType::f64;
  if constexpr (std::is_same_v<T, std::int64_t>) return DType::i64;
  if constexpr (std::is_same_v<T, bool>) return DType::boolean;
}

namespace extend {

/// Calls `f.operator()<T>()` with the C++ type of `t`, for f32 and f64; TypeError for the others.
template <class F>
decltype(auto) dispatch_real(std::string_view where, DType t, F&& f) {
  if (t == DType::f32) return f.template operator()<float>();
  if (t != DType::f64) {
    fail<TypeError>(where, "got {}, but it works on f32 and f64; cast it with cast(x, DType::f32)",
                    name(t));
  }
  return f.template operator()<double>();
}

/// Calls `f.operator()<T>()` with the C++ type of `t`, for every element type.
template <class F>
decltype(auto) dispatch(DType t, F&& f) {
  switch (t) {
    case DType::f64:
      return f.template operator()<double>();
    case DType::i64:
      return f.template operator()<std::int64_t>();
    case DType::boolean:
      return f.template operator()<bool>();
    default:
      return f.template operator()<float>();
  }
}

}  // namespace extend
}  // namespace maskgrad
