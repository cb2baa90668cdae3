#pragma once

#include <cstdint>
#include <functional>

#include <maskgrad/core/io/place.hpp>

namespace maskgrad::detail {

/// FileError, with both numbers, where `bytes` are more than the system can give.
void check_room(const Place& place, std::uint64_t bytes);

/// Calls `make`, which takes about `bytes` of memory: FileError with both numbers before, where
/// they cannot be had, and where the system refuses them.
void with_room(const Place& place, std::uint64_t bytes, const std::function<void()>& make);

}  // namespace maskgrad::detail
