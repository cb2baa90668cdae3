#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include <maskgrad/optim/data/plan.hpp>

namespace maskgrad::data {

/// Batches `at` ... of a plan, one after the other, made ahead on a thread of its own. In a forked
/// child, which does not have that thread, each is made when it is asked for.
class Loader {
 public:
  Loader(std::shared_ptr<const Planner> planner, std::shared_ptr<const Plan> plan, std::int64_t at,
         RankOptions ranks = {});
  /// Ends the thread; waits for the batch that it is at.
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  std::int64_t left() const { return plan_->batches() - at_; }
  /// The next batch; nothing at the end. Throws what was thrown while it was made; the end follows.
  std::optional<Batch> next();

 private:
  struct Made {
    Batch batch;
    std::exception_ptr error;
  };

  /// What both threads see. A fork may leave it in any state, so that the child lets it be.
  struct Ahead {
    std::thread thread;
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<Made> made;
    bool stop = false;
    std::uint64_t forks = 0;  ///< before the thread was made
  };

  Batch make(std::int64_t b) const;
  /// The shards of this rank, each read by itself.
  std::shared_ptr<const Share> share(std::span<const Piece> pieces, const Batch& whole) const;
  Made attempt(std::int64_t b) const;
  void start();
  void run(Ahead& ahead, std::int64_t b);
  void leave_behind();
  static Made wait_for_one(Ahead& ahead);

  std::shared_ptr<const Planner> planner_;
  std::shared_ptr<const Plan> plan_;
  std::int64_t at_;
  RankOptions ranks_;
  bool started_ = false;
  std::unique_ptr<Ahead> ahead_;  ///< null where no thread makes batches
};

}  // namespace maskgrad::data
