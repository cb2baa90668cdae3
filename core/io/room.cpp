#include <maskgrad/core/io/room.hpp>

#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include <maskgrad/core/system_memory.hpp>

namespace maskgrad::detail {
namespace {

[[noreturn]] void refuse(const Place& place, std::uint64_t bytes,
                         std::optional<std::int64_t> there) {
  fail<FileError>(place.where,
                  "{}: reading it takes {} bytes of memory, and the system gives {}; read it by "
                  "rows, as read_dataset does from .npy, .safetensors and stored .npz, or where "
                  "there is more memory",
                  place.file, bytes, there ? std::to_string(*there) : "less");
}

}  // namespace

void check_room(const Place& place, std::uint64_t bytes) {
  constexpr std::uint64_t small = 64 << 20;  // asking takes longer than such a file
  if (bytes <= small) return;
  const auto there = memory::free_now();
  if (std::cmp_greater(bytes, there)) refuse(place, bytes, there);
}

void with_room(const Place& place, std::uint64_t bytes, const std::function<void()>& make) {
  check_room(place, bytes);
  try {
    return make();
  } catch (const std::bad_alloc&) {
  } catch (const std::length_error&) {
  }
  refuse(place, bytes, {});
}

}  // namespace maskgrad::detail
