#include <maskgrad/core/threads.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <maskgrad/core/error.hpp>

#ifdef __linux__
#include <sched.h>
#endif

namespace maskgrad {
namespace {

thread_local bool inside_shard = false;

int usable_cores() {
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
#endif
  return std::max(1u, std::thread::hardware_concurrency());
}

/// One job at a time: workers and the caller take shards from a shared counter.
class Pool {
 public:
  explicit Pool(int threads) {
    for (int i = 1; i < threads; ++i) workers_.emplace_back([this] { work(); });
  }

  ~Pool() {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    for (auto& w : workers_) w.join();
  }

  void run(std::int64_t shards, detail::ShardBody body) {
    {
      std::lock_guard lock(mutex_);
      body_ = &body;
      shards_ = shards;
      next_.store(0, std::memory_order_relaxed);
      error_ = nullptr;
      busy_ = static_cast<int>(workers_.size());
      generation_.fetch_add(1, std::memory_order_release);
    }
    wake_.notify_all();
    take_shards();
    // A worker is nearly always done by now or within microseconds: look before sleeping.
    for (int spin = 0; spin < 2000 && left_.load(std::memory_order_acquire) != generation_.load();
         ++spin) {
    }
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return busy_ == 0; });
    body_ = nullptr;
    if (error_) std::rethrow_exception(error_);
  }

 private:
  void take_shards() {
    inside_shard = true;
    for (;;) {
      std::int64_t shard = next_.fetch_add(1, std::memory_order_relaxed);
      if (shard >= shards_) break;
      try {
        (*body_)(shard);
      } catch (...) {
        std::lock_guard lock(mutex_);
        if (!error_) error_ = std::current_exception();
      }
    }
    inside_shard = false;
  }

  void work() {
    std::uint64_t seen = 0;
    for (;;) {
      for (int spin = 0; spin < 4000 && generation_.load(std::memory_order_acquire) == seen;
           ++spin) {
      }
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return stop_ || generation_.load() != seen; });
        if (stop_) return;
        seen = generation_.load();
      }
      take_shards();
      std::lock_guard lock(mutex_);
      if (--busy_ == 0) {
        left_.store(seen, std::memory_order_release);
        done_.notify_one();
      }
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_, done_;
  std::vector<std::thread> workers_;
  std::atomic<std::uint64_t> generation_{0}, left_{0};
  std::atomic<std::int64_t> next_{0};
  std::int64_t shards_ = 0;
  const detail::ShardBody* body_ = nullptr;
  std::exception_ptr error_;
  int busy_ = 0;
  bool stop_ = false;
};

struct PoolHolder {
  std::mutex one_job;  // the pool runs one job; a second caller works in its own thread
  int threads = usable_cores();
  std::unique_ptr<Pool> pool;
};

PoolHolder& holder() {
  static PoolHolder h;
  return h;
}

}  // namespace

void set_num_threads(int threads) {
  if (threads < 1 || threads > 256) {
    fail<OptionError>("set_num_threads", "got {}; expected a number from 1 to 256", threads);
  }
  auto& h = holder();
  std::lock_guard lock(h.one_job);
  if (threads == h.threads) return;
  h.pool.reset();
  h.threads = threads;
}

int num_threads() {
  return holder().threads;
}

namespace detail {
void run_shards(std::int64_t shards, ShardBody body) {
  auto& h = holder();
  std::unique_lock lock(h.one_job, std::defer_lock);
  if (inside_shard || h.threads == 1 || !lock.try_lock()) {
    for (std::int64_t s = 0; s < shards; ++s) body(s);
    return;
  }
  if (!h.pool) h.pool = std::make_unique<Pool>(h.threads);
  h.pool->run(shards, body);
}
}  // namespace detail
}  // namespace maskgrad
