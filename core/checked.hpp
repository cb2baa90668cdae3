#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <new>
#include <stdexcept>
#include <string_view>
#include <vector>

#include <maskgrad/core/error.hpp>

namespace maskgrad {

/// Arithmetic on sizes that come from outside: what cannot be counted is an error with the numbers,
/// never a negative number or an array that is too short.
namespace checked {

/// The largest number of values: their bytes can be counted whatever their type.
inline constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max() / 16;

/// The product of sizes. ShapeError `where: WHAT, A * B, is more than can be counted` above `most`,
/// and for a factor below 0.
std::int64_t product(std::string_view where, std::string_view what,
                     std::initializer_list<std::int64_t> factors);
/// The sum of sizes, in the same way.
std::int64_t sum(std::string_view where, std::string_view what,
                 std::initializer_list<std::int64_t> parts);
/// The same for sizes of axes, of which one may be free (`any`): then the result is.
std::int64_t size_product(std::string_view where, std::string_view what,
                          std::initializer_list<std::int64_t> factors);
std::int64_t size_sum(std::string_view where, std::string_view what,
                      std::initializer_list<std::int64_t> parts);

/// Throws MemoryError: `where: WHAT needs N bytes, which the system does not give`, and what
/// tensors hold.
[[noreturn]] void refuse_memory(std::string_view where, std::string_view what, std::int64_t wanted);

/// MemoryError where the system would not give so many bytes for a working array. It promises more
/// than it has, and ends the process when it is to keep its word.
void check_room(std::string_view where, std::int64_t count, std::size_t value_bytes,
                std::string_view what = "a working array");

/// A working array of `count` values. MemoryError where the system does not give it.
template <class T>
std::vector<T> vector(std::string_view where, std::int64_t count, T value = T{}) {
  check_room(where, count, sizeof(T));
  try {
    return std::vector<T>(static_cast<std::size_t>(count), value);
  } catch (const std::bad_alloc&) {
  } catch (const std::length_error&) {
  }
  refuse_memory(where, "a working array", count * static_cast<std::int64_t>(sizeof(T)));
}

}  // namespace checked
}  // namespace maskgrad
