#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

#include <maskgrad/optim/data/plan.hpp>

namespace maskgrad::data {

/// Batches `at` ... of a plan, one after the other, made ahead on a thread of its own.
class Loader {
 public:
  Loader(std::shared_ptr<const Planner> planner, std::shared_ptr<const Plan> plan, std::int64_t at);
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

  Batch make(std::int64_t b) const;
  Made attempt(std::int64_t b) const;
  void start();
  void run(std::int64_t b);
  Made wait_for_one();

  std::shared_ptr<const Planner> planner_;
  std::shared_ptr<const Plan> plan_;
  std::int64_t at_;

  std::thread thread_;
  bool started_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Made> made_;
  bool stop_ = false;
};

}  // namespace maskgrad::data
