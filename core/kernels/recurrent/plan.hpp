#pragma once

#include <cstddef>
#include <cstdint>

#include <maskgrad/core/kernels/recurrent/layout.hpp>

namespace maskgrad::kernels::recurrent {

/// Deals out a piece of memory in parts aligned to cache lines; without memory it only counts.
class Arena {
 public:
  explicit Arena(void* memory) : base_(static_cast<std::byte*>(memory)) {
    if (base_) used_ = (line - reinterpret_cast<std::uintptr_t>(base_) % line) % line;
  }
  template <class U>
  U* take(std::int64_t n) {
    U* part = base_ ? reinterpret_cast<U*>(base_ + used_) : nullptr;
    used_ += (n * static_cast<std::int64_t>(sizeof(U)) + line - 1) / line * line;
    return part;
  }
  /// Bytes that are enough, wherever the memory begins.
  std::int64_t needed() const { return used_ + line; }

 private:
  static constexpr std::int64_t line = 64;
  std::byte* base_;
  std::int64_t used_ = 0;
};

template <class T>
Sizes sizes_of(const RecurrentProblem<T>& problem);

/// Memory for the shards of a problem; they stay null where the arena only counts.
Shard* take_shards(Arena& arena, const Sizes& sizes);

/// Sorts the sequences that have rows by length, deals them to the shards, and cuts each shard's
/// steps into chunks. Sequences of one length stay in order, so the plan is the same everywhere.
template <class T>
void plan_shards(const RecurrentProblem<T>& problem, const Sizes& sizes, Shard* shards,
                 std::int64_t* order);

/// The states, of one sequence each, that stand at the beginnings of all chunks.
template <class T>
std::int64_t kept_states(const RecurrentProblem<T>& problem, const Sizes& sizes);

/// Final states, or gradients of initial ones, of sequences without rows: what they began with.
template <class T>
void pass_empty(const RecurrentProblem<T>& problem, const T* from, T* to);

}  // namespace maskgrad::kernels::recurrent
