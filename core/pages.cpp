#include <maskgrad/core/pages.hpp>

#include <algorithm>
#include <cstdint>
#include <iterator>

#include <maskgrad/core/system_memory.hpp>

namespace maskgrad::memory {

/// Moves or shrinks a range, or ends it at 0 bytes; makes no new nodes, so it cannot fail.
void Pages::resize(Place::iterator range, std::byte* at, std::size_t bytes) {
  auto size = by_size_.extract({range->second, range->first});
  auto place = by_place_.extract(range);
  if (bytes == 0) return;
  size.value() = {bytes, at};
  place.key() = at;
  place.mapped() = bytes;
  by_size_.insert(std::move(size));
  by_place_.insert(std::move(place));
}

std::byte* Pages::take(std::size_t bytes) {
  const auto fit = by_size_.lower_bound({bytes, nullptr});
  if (fit == by_size_.end()) return nullptr;
  const auto [size, at] = *fit;
  resize(by_place_.find(at), at + bytes, size - bytes);
  free_ -= bytes;
  return at;
}

void Pages::give(std::byte* at, std::size_t bytes) {
  const auto next = by_place_.lower_bound(at);
  const auto before = next == by_place_.begin() ? by_place_.end() : std::prev(next);
  const bool joins_next = next != by_place_.end() && at + bytes == next->first;
  const bool joins_before = before != by_place_.end() && before->first + before->second == at;
  if (joins_before) {
    const auto all = before->second + bytes + (joins_next ? next->second : 0);
    if (joins_next) resize(next, nullptr, 0);
    resize(before, before->first, all);
  } else if (joins_next) {
    resize(next, at, next->second + bytes);
  } else {
    const auto size = by_size_.insert({bytes, at}).first;
    try {
      by_place_.emplace(at, bytes);
    } catch (...) {
      by_size_.erase(size);
      throw;
    }
  }
  free_ += bytes;
}

/// The end of a range goes first: its beginning is the warmer part, and the range stays one.
std::size_t Pages::release_from(Place::iterator range, std::size_t bytes) {
  const auto page = page_size();
  const auto round_up = [page](std::uintptr_t n) { return (n + page - 1) / page * page; };
  std::byte* const at = range->first;
  const auto begin = reinterpret_cast<std::uintptr_t>(at);
  const auto size = range->second;
  const auto end = (begin + size) / page * page;
  const auto kept = bytes < size ? size - bytes : 0;
  const auto from = std::max(round_up(begin), (begin + kept) / page * page);
  if (from >= end || end != begin + size) return 0;  // pages larger than the grain
  unmap_pages(at + (from - begin), end - from);
  resize(range, at, from - begin);
  free_ -= end - from;
  return end - from;
}

std::size_t Pages::release(std::size_t bytes) {
  std::size_t gone = 0;
  auto range = by_size_.end();
  while (gone < bytes && range != by_size_.begin()) {
    --range;
    const auto place = by_place_.find(range->second);
    const auto after = std::next(range);  // `range` itself may move or end
    const auto now = release_from(place, bytes - gone);
    gone += now;
    if (now > 0) range = after;
  }
  return gone;
}

}  // namespace maskgrad::memory
