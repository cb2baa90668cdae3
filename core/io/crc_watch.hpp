#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>

#include <maskgrad/core/io/place.hpp>

namespace maskgrad::detail {

/// Adds up the CRC-32 of bytes that are read in pieces, in any order and from any thread, until all
/// of them were read once: then they are compared with what they should be.
class CrcWatch {
 public:
  CrcWatch(std::uint64_t size, std::uint32_t expected) : size_(size), expected_(expected) {}

  /// Bytes from `begin` on were read. FileError where they are the last ones and the sum is wrong,
  /// and then at every further read.
  void saw(std::uint64_t begin, std::span<const std::byte> bytes, const Place& place);

 private:
  struct Stretch {
    std::uint64_t end = 0;
    std::uint32_t crc = 0;
  };
  using Seen = std::map<std::uint64_t, Stretch>;  // by begin; none touches another

  void add(std::uint64_t begin, std::span<const std::byte> bytes);
  void join(Seen::iterator first);

  std::uint64_t size_;
  std::uint32_t expected_;
  std::atomic<bool> good_{false};
  std::mutex mutex_;
  Seen seen_;
};

}  // namespace maskgrad::detail
