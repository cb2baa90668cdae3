#include <maskgrad/core/system_memory.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>

namespace maskgrad::memory {
namespace {

constexpr std::size_t huge_page = std::size_t{2} << 20;
constexpr auto unknown = std::numeric_limits<std::int64_t>::max();

std::byte* map(std::size_t bytes) {
  void* p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return p == MAP_FAILED ? nullptr : static_cast<std::byte*>(p);
}

/// More is mapped than asked for, and what stands before and behind the aligned part goes back.
std::byte* map_aligned(std::size_t bytes) {
  std::byte* const p = map(bytes + huge_page);
  if (!p) return nullptr;
  const auto before = (huge_page - reinterpret_cast<std::uintptr_t>(p) % huge_page) % huge_page;
  unmap_pages(p, before);
  unmap_pages(p + before + bytes, huge_page - before);
  return p + before;
}

std::string text_of(const std::string& path) {
  std::string text;
  if (std::FILE* file = std::fopen(path.c_str(), "r")) {
    char part[4096];
    while (const auto n = std::fread(part, 1, sizeof part, file)) text.append(part, n);
    std::fclose(file);
  }
  return text;
}

/// The number behind `name` at the beginning of a line; `otherwise` where there is none.
std::int64_t number(const std::string& text, const std::string& name, std::int64_t otherwise) {
  auto at = text.compare(0, name.size(), name) == 0 ? 0 : text.find("\n" + name);
  if (at == std::string::npos) return otherwise;
  at = text.find(name, at) + name.size();
  const char* from = text.c_str() + at;
  char* end = nullptr;
  const auto value = std::strtoll(from, &end, 10);
  return end == from ? otherwise : value;
}

struct Room {
  std::int64_t total = unknown, free = unknown;

  void narrow(std::int64_t limit, std::int64_t used) {
    if (limit < 0 || limit == unknown) return;
    total = std::min(total, limit);
    free = std::min(free, std::max<std::int64_t>(0, limit - used));
  }
};

/// Limits of the groups of processes that this one is in (containers). Pages of files go when
/// memory is wanted.
void narrow_by_groups(Room& room) {
  const std::string groups = text_of("/proc/self/cgroup");
  const auto at = groups.find("0::");
  if (at == std::string::npos) return;
  std::string path = groups.substr(at + 3, groups.find('\n', at) - at - 3);
  for (;;) {
    const std::string folder = "/sys/fs/cgroup" + (path == "/" ? "" : path);
    const auto limit = number(text_of(folder + "/memory.max"), "", unknown);
    const std::string stat = text_of(folder + "/memory.stat");
    const auto files = number(stat, "inactive_file ", 0) + number(stat, "active_file ", 0);
    room.narrow(limit, number(text_of(folder + "/memory.current"), "", 0) - files);
    if (path.size() <= 1) break;
    path.resize(std::max<std::size_t>(1, path.rfind('/')));
  }
}

Room room_now() {
  Room room;
  const std::string info = text_of("/proc/meminfo");
  const auto kib = [&](const char* name) {
    const auto n = number(info, name, -1);
    return n < 0 ? n : n * 1024;
  };
  const auto total = kib("MemTotal:"), available = kib("MemAvailable:");
  if (total > 0 && available >= 0) {
    room.total = total + std::max<std::int64_t>(0, kib("SwapTotal:"));
    room.free = available + std::max<std::int64_t>(0, kib("SwapFree:"));
  }
  narrow_by_groups(room);
  return room;
}

}  // namespace

std::byte* map_pages(std::size_t bytes) {
  if (bytes < huge_page) return map(bytes);
  std::byte* p = map_aligned(bytes);
  if (!p) return map(bytes);
#ifdef MADV_HUGEPAGE
  madvise(p, bytes, MADV_HUGEPAGE);  // may refuse
#endif
  return p;
}

void unmap_pages(std::byte* at, std::size_t bytes) {
  if (bytes > 0) munmap(at, bytes);
}

std::size_t page_size() {
  static const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

std::int64_t most_to_have() {
  static const std::int64_t total = room_now().total;
  return total;
}

std::int64_t free_now() {
  return room_now().free;
}

bool can_be_had(std::int64_t bytes) {
  return bytes <= free_now();
}

}  // namespace maskgrad::memory
