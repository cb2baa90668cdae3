#include <maskgrad/core/io/crc_watch.hpp>

#include <algorithm>
#include <iterator>

#include <maskgrad/core/io/checksum.hpp>

namespace maskgrad::detail {

/// Takes the stretch behind `first` into it, where the two touch.
void CrcWatch::join(Seen::iterator first) {
  const auto next = std::next(first);
  if (next == seen_.end() || next->first != first->second.end) return;
  first->second.crc =
      crc32_joined(first->second.crc, next->second.crc, next->second.end - next->first);
  first->second.end = next->second.end;
  seen_.erase(next);
}

/// What of these bytes is new, gap by gap.
void CrcWatch::add(std::uint64_t begin, std::span<const std::byte> bytes) {
  const auto end = begin + bytes.size();
  for (auto at = begin; at < end;) {
    auto next = seen_.upper_bound(at);
    if (next != seen_.begin() && std::prev(next)->second.end > at) {
      at = std::prev(next)->second.end;
      continue;
    }
    const auto stop = next == seen_.end() ? end : std::min(end, next->first);
    const auto crc = crc32(0, bytes.subspan(at - begin, stop - at));
    const auto made = seen_.emplace_hint(next, at, Stretch{stop, crc});
    join(made);
    if (made != seen_.begin()) join(std::prev(made));
    at = stop;
  }
}

void CrcWatch::saw(std::uint64_t begin, std::span<const std::byte> bytes, const Place& place) {
  if (good_.load(std::memory_order_relaxed)) return;
  std::lock_guard lock(mutex_);
  add(begin, bytes);
  if (seen_.size() != 1 || seen_.begin()->first != 0 || seen_.begin()->second.end != size_) return;
  if (seen_.begin()->second.crc == expected_) {
    seen_.clear();
    good_ = true;
    return;
  }
  place.refuse(0, "the checksum is not that of the directory; the file is damaged, make it again");
}

}  // namespace maskgrad::detail
