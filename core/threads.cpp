#include <maskgrad/core/threads.hpp>

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#include <maskgrad/core/error.hpp>
#include <maskgrad/core/forks.hpp>

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
  /// Has fewer workers, or none, where the system gives no more threads.
  explicit Pool(int threads) : threads_(threads) {
    workers_.reserve(static_cast<std::size_t>(threads - 1));
    try {
      for (int i = 1; i < threads; ++i) workers_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
    }
  }

  ~Pool() {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    for (auto& w : workers_) w.join();
  }

  int threads() const { return threads_; }

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
    if (forked()) return;
    // A worker is nearly always done by now or within microseconds: look before sleeping.
    for (int spin = 0; spin < 2000 && left_.load(std::memory_order_acquire) != generation_.load();
         ++spin) {
    }
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return busy_ == 0; });
    body_ = nullptr;
    if (error_) std::rethrow_exception(error_);
  }

  /// Whether this is the pool of the process that this one was forked from: it has no threads here.
  bool forked() const { return forks_ != detail::forks(); }

 private:
  void take_shards() {
    inside_shard = true;
    for (;;) {
      std::int64_t shard = next_.fetch_add(1, std::memory_order_relaxed);
      if (shard >= shards_) break;
      try {
        (*body_)(shard);
      } catch (...) {
        if (forked()) break;
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
      if (forked()) return;  // a shard forked: this is all there is of the child
      std::lock_guard lock(mutex_);
      if (--busy_ == 0) {
        left_.store(seen, std::memory_order_release);
        done_.notify_one();
      }
    }
  }

  const int threads_;  ///< asked for
  const std::uint64_t forks_ = detail::forks();
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
  std::atomic<int> threads = usable_cores();
  Pool* pool = nullptr;
  std::vector<Pool*> left_behind;  ///< by forks: their threads are not here, so they never end

  /// Never ends, as other threads may compute while the process exits; the system ends the workers.
  static PoolHolder& get() {
    static PoolHolder* const holder = make();
    return *holder;
  }

  static PoolHolder* make() {
    auto* holder = new PoolHolder;
    pthread_atfork(nullptr, nullptr, [] { new (&get().one_job) std::mutex; });
    return holder;
  }

  /// The pool with as many threads as are wanted now.
  Pool& ready() {
    if (pool && pool->forked()) left_behind.push_back(std::exchange(pool, nullptr));
    if (pool && pool->threads() != threads) end();
    if (!pool) pool = new Pool(threads);
    return *pool;
  }

  void end() {
    if (pool && !pool->forked()) delete std::exchange(pool, nullptr);
  }
};

}  // namespace

void set_num_threads(int threads) {
  if (threads < 1 || threads > 256) {
    fail<OptionError>("set_num_threads", "got {}; expected a number from 1 to 256", threads);
  }
  auto& h = PoolHolder::get();
  if (h.threads.exchange(threads) == threads || inside_shard) return;
  // Where a job runs, the next one finds that the number has changed.
  const std::unique_lock lock(h.one_job, std::try_to_lock);
  if (lock) h.end();
}

int num_threads() {
  return PoolHolder::get().threads;
}

namespace detail {
void run_shards(std::int64_t shards, ShardBody body) {
  auto& h = PoolHolder::get();
  std::unique_lock lock(h.one_job, std::defer_lock);
  if (inside_shard || h.threads == 1 || !lock.try_lock()) {
    for (std::int64_t s = 0; s < shards; ++s) body(s);
    return;
  }
  auto& pool = h.ready();
  pool.run(shards, body);
  if (pool.forked()) {
    lock.release();  // it is another mutex by now
    fail<StateError>("parallel_for",
                     "the process was forked by one of the shards, and what the other threads had "
                     "begun is not in the child; fork between two calls");
  }
}
}  // namespace detail
}  // namespace maskgrad
