#include <maskgrad/core/memory.hpp>

#include <pthread.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <new>
#include <utility>

#include <maskgrad/core/checked.hpp>
#include <maskgrad/core/pages.hpp>
#include <maskgrad/core/size_classes.hpp>
#include <maskgrad/core/system_memory.hpp>

namespace maskgrad {
namespace extend {

/// Stands 64 bytes before the data of a small block, so that these keep their alignment; that of a
/// large one lies elsewhere, and its data are whole pages.
struct alignas(64) Storage::Block {
  std::atomic<std::int32_t> count{1};
  int size_class = 0;
  std::int64_t bytes = 0;
  std::byte* data = nullptr;
  std::atomic<std::uint64_t> version{0};
  Block* next = nullptr;  ///< of the free ones of its class
};

namespace {

using namespace memory::size_classes;
constexpr std::size_t header = 64;

/// Aligned as the header is; null where there is no memory. std::aligned_alloc would want the size
/// to be a multiple of the alignment too.
void* aligned(std::size_t bytes) {
  void* p = nullptr;
  return posix_memalign(&p, header, bytes) == 0 ? p : nullptr;
}

}  // namespace

/// Blocks that ended wait by size class, for the next of their class: a steady step finds all its
/// blocks here. Where none waits, a large block is cut from free pages, which the waiting blocks
/// are joined to first where that is needed; so steps of changing lengths share their memory. What
/// is free stays below 0.4 of the most that was in use (the high water).
struct BlockPool {
  std::mutex mutex;
  std::array<Storage::Block*, classes> free{};  ///< the first of each class
  memory::Pages pages;
  std::int64_t waiting = 0;  ///< bytes of large blocks in `free`
  memory::Stats stats;

  /// Leaked on purpose: tensors in static variables may end after any static of ours.
  static BlockPool& get() {
    static BlockPool* const pool = make();
    return *pool;
  }

  static BlockPool* make() {
    auto* pool = new BlockPool;
    pthread_atfork([] { get().mutex.lock(); }, [] { get().mutex.unlock(); },
                   [] { new (&get().mutex) std::mutex; });
    return pool;
  }

  /// Null where the system does not give so much, all that was free given back to it.
  Storage::Block* take(std::size_t bytes) {
    if (bytes > std::size_t{1} << most_log) return nullptr;
    const int c = class_of(bytes);
    std::lock_guard lock(mutex);
    auto* block = pop(c);
    if (!block) block = c < paged ? fresh_small(c) : large(c);
    if (!block) return nullptr;
    block->count.store(1, std::memory_order_relaxed);
    block->version.store(0, std::memory_order_relaxed);
    block->bytes = static_cast<std::int64_t>(bytes);
    stats.bytes_in_use += size_of(c);
    stats.high_water = std::max(stats.high_water, stats.bytes_in_use);
    return block;
  }

  void give(Storage::Block* block) {
    const int c = block->size_class;
    std::lock_guard lock(mutex);
    stats.bytes_in_use -= size_of(c);
    if (c >= paged) waiting += size_of(c);
    auto*& first = free[static_cast<std::size_t>(c)];
    block->next = std::exchange(first, block);
  }

  void release_unused() {
    join_waiting();
    release_pages(static_cast<std::int64_t>(pages.free_bytes()));
    release_small(stats.bytes_reserved);
  }

 private:
  static std::int64_t size_of(int c) { return static_cast<std::int64_t>(class_bytes(c)); }

  Storage::Block* pop(int c) {
    auto*& first = free[static_cast<std::size_t>(c)];
    if (!first) return nullptr;
    if (c >= paged) waiting -= size_of(c);
    return std::exchange(first, first->next);
  }

  Storage::Block* fresh_small(int c) {
    const auto bytes = class_bytes(c);
    make_room(static_cast<std::int64_t>(bytes));
    void* p = aligned(bytes + header);
    if (!p) {
      release_unused();
      p = aligned(bytes + header);
    }
    if (!p) return nullptr;
    ++stats.heap_allocations;
    stats.bytes_reserved += static_cast<std::int64_t>(bytes);
    auto* block = new (p) Storage::Block;
    block->size_class = c;
    block->data = static_cast<std::byte*>(p) + header;
    return block;
  }

  Storage::Block* large(int c) {
    const auto bytes = class_bytes(c);
    void* place = aligned(sizeof(Storage::Block));
    if (!place) return nullptr;
    auto* data = pages.take(bytes);
    if (!data && static_cast<std::int64_t>(pages.free_bytes()) + waiting >= size_of(c)) {
      join_waiting();
      data = pages.take(bytes);
    }
    if (!data) data = fresh_pages(bytes);
    if (!data) {
      std::free(place);
      return nullptr;
    }
    auto* block = new (place) Storage::Block;
    block->size_class = c;
    block->data = data;
    return block;
  }

  /// Some pages more than asked for where there is room, so that small ones do not come one by one.
  std::byte* fresh_pages(std::size_t bytes) {
    const auto wanted = static_cast<std::int64_t>(bytes);
    if (!may_ask(wanted)) return nullptr;
    make_room(wanted);
    const auto more = std::min<std::int64_t>(stats.bytes_reserved / 16, std::int64_t{32} << 20);
    auto size = std::max(bytes, static_cast<std::size_t>(std::max(more, spare)) /
                                    memory::Pages::grain * memory::Pages::grain);
    if (stats.bytes_reserved + static_cast<std::int64_t>(size) > limit(wanted)) size = bytes;
    auto* p = memory::map_pages(size);
    if (!p) {
      size = bytes;
      release_unused();
      p = memory::map_pages(size);
    }
    if (!p) return nullptr;
    ++stats.heap_allocations;
    stats.bytes_reserved += static_cast<std::int64_t>(size);
    if (size > bytes) keep(p + bytes, size - bytes);
    return p;
  }

  /// Whether to ask the system at all: it promises more than it has. What is kept free is given
  /// back before that is the reason to refuse.
  bool may_ask(std::int64_t bytes) {
    constexpr std::int64_t worth_a_look = std::int64_t{64} << 20;
    if (bytes < worth_a_look || memory::can_be_had(bytes)) return true;
    if (bytes > memory::most_to_have()) return false;
    release_unused();
    return memory::can_be_had(bytes);
  }

  static constexpr std::int64_t spare = 64 << 10;  ///< free bytes that are never too many
  std::int64_t limit(std::int64_t wanted) const {
    return std::max(stats.high_water, stats.bytes_in_use + wanted) * 7 / 5 + spare;
  }

  /// Gives free memory back to the system where `wanted` bytes more would be too many to hold.
  void make_room(std::int64_t wanted) {
    const auto excess = [&] { return stats.bytes_reserved + wanted - limit(wanted); };
    if (excess() <= 0) return;
    constexpr std::int64_t bite = 256 << 10;  // many small pieces would cost many calls
    if (wanted < size_of(paged)) release_small(excess());  // the like of it first
    if (excess() <= 0) return;
    if (waiting > 0) join_waiting();
    release_pages(std::max(bite, excess()));
    if (excess() > 0) release_small(excess());
  }

  /// The large blocks that wait become free pages, joined with their neighbors.
  void join_waiting() {
    for (int c = paged; c < classes; ++c) {
      while (auto* block = pop(c)) {
        keep(block->data, class_bytes(c));
        std::free(block);
      }
    }
  }

  /// Pages without a place in the list of free ones, for want of memory, go back to the system.
  void keep(std::byte* at, std::size_t bytes) {
    try {
      pages.give(at, bytes);
    } catch (const std::bad_alloc&) {
      memory::unmap_pages(at, bytes);
      stats.bytes_reserved -= static_cast<std::int64_t>(bytes);
    }
  }

  void release_pages(std::int64_t bytes) {
    const auto gone = pages.release(static_cast<std::size_t>(bytes));
    stats.bytes_reserved -= static_cast<std::int64_t>(gone);
  }

  void release_small(std::int64_t bytes) {
    for (int c = paged - 1; c >= 0; --c) {
      while (bytes > 0) {
        auto* block = pop(c);
        if (!block) break;
        stats.bytes_reserved -= size_of(c);
        bytes -= size_of(c);
        std::free(block);
      }
    }
  }
};

Storage::Storage(std::int64_t bytes) {
  block_ = bytes < 0 ? nullptr : BlockPool::get().take(static_cast<std::size_t>(bytes));
  if (!block_) checked::refuse_memory("memory", "a block", bytes);
}

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
  return block_ ? block_->data : nullptr;
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

}  // namespace extend

namespace memory {

Stats stats() {
  auto& pool = extend::BlockPool::get();
  std::lock_guard lock(pool.mutex);
  return pool.stats;
}

void reset_high_water() {
  auto& pool = extend::BlockPool::get();
  std::lock_guard lock(pool.mutex);
  pool.stats.high_water = pool.stats.bytes_in_use;
}

void release_unused() {
  auto& pool = extend::BlockPool::get();
  std::lock_guard lock(pool.mutex);
  pool.release_unused();
}

}  // namespace memory
}  // namespace maskgrad
