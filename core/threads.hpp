#pragma once

#include <cstdint>
#include <functional>

namespace maskgrad {

/// Threads that the one pool may use, with the caller; at first the cores this process may run on.
/// Inside work it holds from the next call on. No result depends on it. OptionError: not 1 to 256.
/// Example:  mg::set_num_threads(2);
void set_num_threads(int threads);
int num_threads();

namespace detail {
/// A reference to a callable, valid for the length of a call; never allocates.
class ShardBody {
 public:
  template <class F>
  explicit ShardBody(F& f)
      : object_(&f), call_([](void* o, std::int64_t shard) { (*static_cast<F*>(o))(shard); }) {}
  void operator()(std::int64_t shard) const { call_(object_, shard); }

 private:
  void* object_;
  void (*call_)(void*, std::int64_t);
};
void run_shards(std::int64_t shards, ShardBody body);
}  // namespace detail

namespace extend {

/// Runs `f(shard)` for shard = 0 ... shards - 1, on the pool, each once; returns when all are done.
/// What a shard is must depend on the problem alone, never on the number of threads: so results are
/// the same for any number. Called inside a shard, or while another thread uses the pool, it runs
/// in place. The first exception that a shard throws is thrown again here.
/// Example:  std::vector<std::int64_t> begins(4);
///           mg::extend::parallel_for(4, [&](std::int64_t shard) {
///             begins[static_cast<std::size_t>(shard)] = mg::extend::shard_begin(5000, 4, shard);
///           });
template <class F>
void parallel_for(std::int64_t shards, F&& f) {
  if (shards <= 1) {
    if (shards == 1) f(std::int64_t{0});
    return;
  }
  detail::run_shards(shards, detail::ShardBody(f));
}

/// The number of shards for `items` of work of which a shard should take at least `least`: 1 where
/// splitting does not pay, else up to 64.
/// Example:  mg::extend::shard_count(5000, 1000);  // 5
inline std::int64_t shard_count(std::int64_t items, std::int64_t least) {
  std::int64_t n = items / (least > 0 ? least : 1);
  return n < 1 ? 1 : (n > 64 ? 64 : n);
}

/// First item of shard `shard` when `items` are split into `shards` parts as even as can be.
inline std::int64_t shard_begin(std::int64_t items, std::int64_t shards, std::int64_t shard) {
  return items * shard / shards;
}

}  // namespace extend
}  // namespace maskgrad
