#pragma once

#include <cstdint>

namespace maskgrad::detail {

/// How often this process is a fork of one that used the library. What holds a thread compares: a
/// child has only the thread that forked.
std::uint64_t forks();

}  // namespace maskgrad::detail
