#include <maskgrad/core/memory.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <new>
#include <utility>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace maskgrad {

/// Stands 64 bytes before the data, so that the data keep their alignment.
struct alignas(64) Storage::Block {
  std::atomic<std::int32_t> count{1};
  int size_class = 0;
  std::int64_t bytes = 0;
  std::atomic<std::uint64_t> version{0};
  Block* next = nullptr;  ///< of the free ones of its class
};

namespace {

constexpr std::size_t header = 64;
constexpr std::size_t huge_page = std::size_t{2} << 20;

/// Sizes run 64, 80, 96, 112, 128, 160, ... in four steps to each doubling, from 64 KiB on in 16,
/// so that of a small block at most 25 % is lost and of a large one 6 %.
constexpr int small_log = 6, large_log = 16;
constexpr int small_classes = (large_log - small_log) * 4;
constexpr int classes = small_classes + (62 - large_log) * 16;

int class_of(std::size_t bytes) {
  if (bytes <= 64) return 0;
  const int log = std::bit_width(bytes - 1) - 1;  // 2^log < bytes <= 2^(log + 1)
  const bool large = log >= large_log;
  const std::size_t step = std::size_t{1} << (large ? log - 4 : log - 2);
  const auto above = static_cast<int>((bytes - (std::size_t{1} << log) + step - 1) / step);
  return above + (large ? small_classes + (log - large_log) * 16 : (log - small_log) * 4);
}

std::size_t class_bytes(int c) {
  const bool large = c >= small_classes;
  const int steps = large ? 16 : 4;
  const int log = large ? large_log + (c - small_classes) / 16 : small_log + c / 4;
  const auto above = static_cast<std::size_t>(large ? (c - small_classes) % 16 : c % 4);
  return (std::size_t{1} << log) + above * ((std::size_t{1} << log) / static_cast<unsigned>(steps));
}

}  // namespace

/// Free blocks by size class, shared by all threads.
struct BlockPool {
  std::mutex mutex;
  std::array<Storage::Block*, classes> free{};  ///< the first of each class
  memory::Stats stats;

  /// Leaked on purpose: tensors in static variables may end after any static of ours.
  static BlockPool& get() {
    static auto* pool = new BlockPool;
    return *pool;
  }

  Storage::Block* take(std::size_t bytes) {
    const int c = class_of(bytes);
    Storage::Block* block = kept(c);
    if (!block) block = fresh(c);
    block->count.store(1, std::memory_order_relaxed);
    block->version.store(0, std::memory_order_relaxed);
    block->bytes = static_cast<std::int64_t>(bytes);
    return block;
  }

  /// A free block of the class, or one a little larger, so that batches of different lengths share
  /// theirs; or null.
  Storage::Block* kept(int c) {
    std::lock_guard lock(mutex);
    const int last = c < small_classes ? c : std::min(c + 4, classes - 1);
    for (int i = c; i <= last; ++i) {
      auto*& first = free[static_cast<std::size_t>(i)];
      if (first == nullptr) continue;
      count_use(i);
      return std::exchange(first, first->next);
    }
    return nullptr;
  }

  Storage::Block* fresh(int c) {
    const auto size = class_bytes(c);
    const std::size_t align = size >= huge_page ? huge_page : 64;
    const std::size_t total = (size + header + align - 1) / align * align;
    void* p = std::aligned_alloc(align, total);
    if (!p) throw std::bad_alloc();
#ifdef __linux__
    if (align == huge_page) madvise(p, total, MADV_HUGEPAGE);  // fewer first touches; may refuse
#endif
    auto* block = new (p) Storage::Block;
    block->size_class = c;
    std::lock_guard lock(mutex);
    ++stats.heap_allocations;
    stats.bytes_reserved += static_cast<std::int64_t>(size);
    count_use(c);
    return block;
  }

  void count_use(int c) {
    stats.bytes_in_use += static_cast<std::int64_t>(class_bytes(c));
    if (stats.bytes_in_use > stats.high_water) stats.high_water = stats.bytes_in_use;
  }

  void give(Storage::Block* block) {
    std::lock_guard lock(mutex);
    stats.bytes_in_use -= static_cast<std::int64_t>(class_bytes(block->size_class));
    auto*& first = free[static_cast<std::size_t>(block->size_class)];
    block->next = std::exchange(first, block);
  }

  void release_unused() {
    std::lock_guard lock(mutex);
    for (auto*& first : free) {
      while (auto* block = first) {
        first = block->next;
        stats.bytes_reserved -= static_cast<std::int64_t>(class_bytes(block->size_class));
        std::free(block);
      }
    }
  }
};

Storage::Storage(std::int64_t bytes)
    : block_(BlockPool::get().take(static_cast<std::size_t>(bytes))) {}

Storage::Storage(const Storage& other) : block_(other.block_) {
  if (block_) block_->count.fetch_add(1, std::memory_order_relaxed);
}

void Storage::reset() {
  auto* block = std::exchange(block_, nullptr);
  if (block && block->count.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    BlockPool::get().give(block);
  }
}

std::byte* Storage::data() const {
  return block_ ? reinterpret_cast<std::byte*>(block_) + header : nullptr;
}
std::int64_t Storage::bytes() const {
  return block_ ? block_->bytes : 0;
}
bool Storage::unique() const {
  return block_ && block_->count.load(std::memory_order_acquire) == 1;
}
std::uint64_t Storage::version() const {
  return block_ ? block_->version.load(std::memory_order_relaxed) : 0;
}
void Storage::bump_version() const {
  if (block_) block_->version.fetch_add(1, std::memory_order_relaxed);
}

namespace memory {
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

}  // namespace

Stats stats() {
  auto& pool = BlockPool::get();
  std::lock_guard lock(pool.mutex);
  return pool.stats;
}

void reset_high_water() {
  auto& pool = BlockPool::get();
  std::lock_guard lock(pool.mutex);
  pool.stats.high_water = pool.stats.bytes_in_use;
}

void release_unused() {
  BlockPool::get().release_unused();
}

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
  void* p = std::aligned_alloc(small_step, c * small_step);
  if (!p) throw std::bad_alloc();
  return p;
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

}  // namespace memory
}  // namespace maskgrad
