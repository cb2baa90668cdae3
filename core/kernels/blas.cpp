#include <maskgrad/core/kernels/blas.hpp>

#include <cblas.h>
#include <pthread.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <mutex>
#include <new>
#include <thread>

#include <maskgrad/core/checked.hpp>
#include <maskgrad/core/memory.hpp>
#include <maskgrad/core/system_memory.hpp>

extern "C" {
// How OpenBLAS gets a work buffer; not in its header, so perhaps not there.
[[gnu::weak]] void* blas_memory_alloc(int);
[[gnu::weak]] void blas_memory_free(void*);
}

namespace maskgrad::kernels {
namespace {

/// What OpenBLAS takes for each thread that is inside it (its BUFFER_SIZE), and a little more.
constexpr std::size_t buffer = (std::size_t{128} << 20) + (std::size_t{4} << 20);

/// Counts the threads inside OpenBLAS. It keeps its buffers, so a look at the memory is needed only
/// when more are inside than ever before.
struct Gate {
  std::atomic<int> inside{0};
  std::atomic<int> room{0};  ///< as many as OpenBLAS has buffers for
  std::mutex mutex;
  int room_before = 0;  ///< it was closed for a fork or for good

  /// Nobody comes in, and all that are inside leave, within some seconds; gives the room there was.
  int empty() {
    const int before = room.exchange(0);
    const auto start = std::chrono::steady_clock::now();
    while (inside.load(std::memory_order_acquire) > 0 &&
           std::chrono::steady_clock::now() - start < std::chrono::seconds(5)) {
      std::this_thread::yield();
    }
    return before;
  }
  /// Where there is room.
  bool enter() {
    if (inside.fetch_add(1, std::memory_order_acquire) < room.load(std::memory_order_relaxed)) {
      return true;
    }
    inside.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  void close() {
    mutex.lock();
    room_before = empty();
  }
  void open() {
    room = room_before;
    mutex.unlock();
  }
};

constinit Gate gate;

void open_in_child() {
  new (&gate.mutex) std::mutex;
  gate.inside = 0;
  gate.room = gate.room_before;
}

/// OpenBLAS on one thread, as the library's own pool splits the work; and nobody inside it while
/// the process forks.
bool begin() {
  openblas_set_num_threads(1);
  memory::stats();  // its lock is taken after this one, when a fork takes all
  pthread_atfork([] { gate.close(); }, [] { gate.open(); }, open_in_child);
  return true;
}

/// OpenBLAS gives its buffers back when the process ends; a thread that still computes would read
/// what is gone. Those inside finish, others wait for an end that comes.
[[gnu::destructor]] void close_at_exit() {
  gate.close();
}

bool buffer_can_be_had() {
  auto* p = memory::map_pages(buffer);
  if (p) memory::unmap_pages(p, buffer);
  return p != nullptr;
}

/// How many buffers OpenBLAS has once it was made to have `count`, where memory is there for them.
/// It makes them at some calls only, and where it cannot it tries for ever.
int have_buffers(int count, int before) {
  if (!blas_memory_alloc || !blas_memory_free) return count;
  std::array<void*, 256> held{};
  int made = 0;
  while (made < std::min<int>(count, held.size()) && (made < before || buffer_can_be_had())) {
    void* p = blas_memory_alloc(0);
    if (!p) break;
    held[static_cast<std::size_t>(made++)] = p;
  }
  for (int i = 0; i < made; ++i) blas_memory_free(held[static_cast<std::size_t>(i)]);
  return made;
}

/// Makes room for one more where there is memory; else waits for another to leave.
void enter_with_a_look() {
  const std::lock_guard lock(gate.mutex);
  if (gate.enter()) return;
  bool more = buffer_can_be_had();
  if (!more) {
    memory::release_unused();
    more = buffer_can_be_had();
  }
  if (more) {
    const int wanted = gate.inside + 1;
    const int before = gate.empty();
    gate.room = std::max(before, have_buffers(std::max(wanted, before + 1), before));
  }
  if (gate.room == 0) {
    checked::refuse_memory("OpenBLAS", "a work buffer, one for each thread that multiplies,",
                           static_cast<std::int64_t>(buffer));
  }
  while (!gate.enter()) std::this_thread::sleep_for(std::chrono::microseconds(50));
}

}  // namespace

BlasCall::BlasCall() {
  static const bool begun = begin();
  static_cast<void>(begun);
  if (!gate.enter()) enter_with_a_look();
}

BlasCall::~BlasCall() {
  gate.inside.fetch_sub(1, std::memory_order_release);
}

}  // namespace maskgrad::kernels
