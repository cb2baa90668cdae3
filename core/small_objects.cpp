#include <array>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>

#include <maskgrad/core/checked.hpp>
#include <maskgrad/core/memory.hpp>

namespace maskgrad::memory {
namespace {

constexpr std::size_t small_step = 64, small_most = 1024;
/// What a thread keeps of one size. A thread that ends more than it makes (what a loader's thread
/// made) would gather blocks without end.
constexpr std::size_t small_kept_bytes = std::size_t{8} << 20;

/// One thread's free lists for small objects; blocks may end in another thread than they began in.
struct SmallLists {
  struct Link {
    Link* next;
  };
  std::array<Link*, small_most / small_step + 1> head{};
  std::array<std::size_t, small_most / small_step + 1> kept{};  ///< blocks in each
  ~SmallLists();
};

thread_local bool small_lists_gone = false;

SmallLists::~SmallLists() {
  small_lists_gone = true;
  for (auto*& link : head) {
    while (link) std::free(std::exchange(link, link->next));
  }
}

SmallLists& small_lists() {
  thread_local SmallLists lists;
  return lists;
}

void* from_heap(std::size_t bytes) {
  void* p = std::aligned_alloc(small_step, bytes);
  if (p) return p;
  release_unused();
  p = std::aligned_alloc(small_step, bytes);
  if (!p) checked::refuse_memory("memory", "a small object", static_cast<std::int64_t>(bytes));
  return p;
}

}  // namespace

void* take_small(std::size_t bytes) {
  const auto c = (bytes + small_step - 1) / small_step;
  if (c <= small_most / small_step && !small_lists_gone) {
    auto& lists = small_lists();
    auto*& head = lists.head[c];
    if (head) {
      --lists.kept[c];
      return std::exchange(head, head->next);
    }
  }
  return from_heap(c * small_step);
}

void give_small(void* p, std::size_t bytes) {
  const auto c = (bytes + small_step - 1) / small_step;
  if (c > small_most / small_step || small_lists_gone) return std::free(p);
  auto& lists = small_lists();
  if (lists.kept[c] * c * small_step >= small_kept_bytes) return std::free(p);
  ++lists.kept[c];
  auto*& head = lists.head[c];
  head = new (p) SmallLists::Link{head};
}

}  // namespace maskgrad::memory
