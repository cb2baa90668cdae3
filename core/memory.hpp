#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace maskgrad {
namespace memory {

/// What the pool of tensor memory has done so far, in this process.
struct Stats {
  std::int64_t heap_allocations = 0;  ///< times the pool asked the system for a block
  std::int64_t bytes_reserved = 0;    ///< bytes it holds from the system, in use or kept
  std::int64_t bytes_in_use = 0;      ///< bytes of blocks that tensors hold now
  std::int64_t high_water = 0;        ///< most bytes in use since start or `reset_high_water`
};

Stats stats();
void reset_high_water();
/// Gives every block that no tensor holds back to the system.
void release_unused();

/// Blocks for small objects (tape nodes, tensor handles): free lists of each thread, 1 KiB at most
/// (larger ones come from the heap).
void* take_small(std::size_t bytes);
void give_small(void* p, std::size_t bytes);

}  // namespace memory

namespace extend {

/// A counted block of pooled memory, 64-byte aligned, not initialized. Copies share it.
class Storage {
 public:
  Storage() = default;
  explicit Storage(std::int64_t bytes);
  Storage(const Storage& other);
  Storage(Storage&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  Storage& operator=(Storage other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~Storage() { reset(); }
  void reset();

  std::byte* data() const;
  std::int64_t bytes() const;
  /// Whether no other handle shares the block.
  bool unique() const;
  /// Times the content was changed in place: parameters and layer state only.
  std::uint64_t version() const;
  void bump_version() const;
  explicit operator bool() const { return block_ != nullptr; }

 private:
  struct Block;
  friend struct BlockPool;
  Block* block_ = nullptr;
};

}  // namespace extend
}  // namespace maskgrad
