#include <maskgrad/core/io/room.hpp>

#include <algorithm>
#include <fstream>
#include <limits>
#include <new>
#include <stdexcept>
#include <string>

namespace maskgrad::detail {
namespace {

constexpr auto unknown = std::numeric_limits<std::uint64_t>::max();

// What is free, by the kernel's own estimate; swap counts.
std::uint64_t free_memory() {
  std::ifstream file("/proc/meminfo");
  std::uint64_t sum = 0, kibibytes = 0;
  bool known = false;
  std::string name, unit;
  while (file >> name >> kibibytes) {
    if (name == "MemAvailable:") known = true;
    if (name == "MemAvailable:" || name == "SwapFree:") sum += kibibytes * 1024;
    std::getline(file, unit);
  }
  return known ? sum : unknown;
}

std::uint64_t container_limit() {
  std::uint64_t least = unknown, limit = 0;
  for (const char* path :
       {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::ifstream file(path);
    if (file >> limit) least = std::min(least, limit);
  }
  return least;
}

[[noreturn]] void refuse(const Place& place, std::uint64_t bytes, std::uint64_t there) {
  fail<FileError>(place.where,
                  "{}: reading it takes {} bytes of memory, and the system gives {}; read it by "
                  "rows, as read_dataset does from .npy, .safetensors and stored .npz, or where "
                  "there is more memory",
                  place.file, bytes, there == unknown ? "less" : std::to_string(there));
}

}  // namespace

std::uint64_t available_memory() {
  return std::min(free_memory(), container_limit());
}

void check_room(const Place& place, std::uint64_t bytes) {
  constexpr std::uint64_t small = 64 << 20;  // asking takes longer than such a file
  if (bytes <= small) return;
  const auto there = available_memory();
  if (bytes > there) refuse(place, bytes, there);
}

void with_room(const Place& place, std::uint64_t bytes, const std::function<void()>& make) {
  check_room(place, bytes);
  try {
    return make();
  } catch (const std::bad_alloc&) {
  } catch (const std::length_error&) {
  }
  refuse(place, bytes, unknown);
}

}  // namespace maskgrad::detail
