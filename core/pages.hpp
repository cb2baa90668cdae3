#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

namespace maskgrad::memory {

/// Free ranges of whole pages: cut to what is asked for, joined again with their neighbors, so that
/// steps of any lengths share the same pages. For one thread at a time.
class Pages {
 public:
  /// Sizes are multiples of it.
  static constexpr std::size_t grain = 4096;

  /// The smallest free range that has so many bytes, cut; null where there is none.
  std::byte* take(std::size_t bytes);
  /// May throw std::bad_alloc; then nothing has changed.
  void give(std::byte* at, std::size_t bytes);
  /// Gives ranges back to the system, the largest first, until `bytes` are gone, or all that can.
  std::size_t release(std::size_t bytes);
  std::size_t free_bytes() const { return free_; }

 private:
  using Place = std::map<std::byte*, std::size_t>;
  using Size = std::set<std::pair<std::size_t, std::byte*>>;
  void resize(Place::iterator range, std::byte* at, std::size_t bytes);
  std::size_t release_from(Place::iterator range, std::size_t bytes);

  Place by_place_;
  Size by_size_;
  std::size_t free_ = 0;
};

}  // namespace maskgrad::memory
