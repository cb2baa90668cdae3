#include <maskgrad/core/forks.hpp>

#include <pthread.h>

#include <atomic>

namespace maskgrad::detail {
namespace {

std::atomic<std::uint64_t> count{0};
/// From when the library is loaded, so that no fork is missed.
const int registered =
    pthread_atfork(nullptr, nullptr, [] { count.fetch_add(1, std::memory_order_relaxed); });

}  // namespace

std::uint64_t forks() {
  static_cast<void>(registered);
  return count.load(std::memory_order_relaxed);
}

}  // namespace maskgrad::detail
