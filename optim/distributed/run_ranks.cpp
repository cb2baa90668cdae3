#include <maskgrad/optim/distributed/run_ranks.hpp>

#include <fmt/format.h>

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

#include <maskgrad/optim/distributed/transport.hpp>
#include <maskgrad/optim/optimizer.hpp>
#include <maskgrad/optim/train/failure.hpp>

namespace maskgrad {
namespace {

constexpr std::string_view in_run_ranks = "run_ranks";

/// What the threads share.
class Mailboxes {
 public:
  Mailboxes(int ranks, double deadline)
      : ranks_(ranks),
        deadline_(deadline),
        boxes_(static_cast<std::size_t>(ranks) * static_cast<std::size_t>(ranks)),
        ended_(static_cast<std::size_t>(ranks), false) {}

  void send(int from, int to, std::span<const std::byte> bytes) {
    const std::lock_guard lock(mutex_);
    refuse_failed();
    box(from, to).emplace_back(bytes.begin(), bytes.end());
    changed_.notify_all();
  }

  std::vector<std::byte> receive(int from, int to) {
    std::unique_lock lock(mutex_);
    auto& own = box(from, to);
    const auto ready = [&] { return failure_ || !own.empty() || has_ended(from); };
    if (!changed_.wait_for(lock, std::chrono::duration<double>(deadline_), ready)) {
      set_failure(from, fmt::format("does not answer: rank {} waited {} s for it (stopped, or "
                                    "still computing; RunRanksOptions::deadline says how long)",
                                    to, deadline_));
    }
    refuse_failed();
    if (own.empty()) {
      set_failure(from, fmt::format("ended, while rank {} still waits for it", to));
      refuse_failed();
    }
    std::vector<std::byte> bytes = std::move(own.front());
    own.pop_front();
    return bytes;
  }

  void abort(int rank, const std::string& text) {
    const std::lock_guard lock(mutex_);
    set_failure(rank, "failed: " + text);
  }
  void end(int rank) {
    const std::lock_guard lock(mutex_);
    ended_[static_cast<std::size_t>(rank)] = true;
    changed_.notify_all();
  }
  /// The rank at which it began; -1 where none failed.
  int failed() const { return failure_ ? failure_->rank : -1; }

 private:
  struct Failure {
    int rank;
    std::string what;
  };

  std::deque<std::vector<std::byte>>& box(int from, int to) {
    return boxes_[static_cast<std::size_t>(from) * static_cast<std::size_t>(ranks_) +
                  static_cast<std::size_t>(to)];
  }
  bool has_ended(int rank) const { return ended_[static_cast<std::size_t>(rank)]; }
  void set_failure(int rank, std::string what) {
    if (!failure_) failure_ = Failure{rank, std::move(what)};
    changed_.notify_all();
  }
  void refuse_failed() const {
    if (failure_) detail::throw_rank_error(failure_->rank, ranks_, failure_->what);
  }

  int ranks_;
  double deadline_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::deque<std::vector<std::byte>>> boxes_;
  std::vector<bool> ended_;
  std::optional<Failure> failure_;
};

class ThreadTransport final : public detail::Transport {
 public:
  ThreadTransport(std::shared_ptr<Mailboxes> boxes, int rank, int size)
      : Transport(rank, size), boxes_(std::move(boxes)) {}

  void abort(const std::string& text) noexcept override {
    try {
      boxes_->abort(rank(), text);
    } catch (...) {
    }
  }

 private:
  void move(int to, std::span<const std::byte> out, int from, std::span<std::byte> in) override {
    if (to >= 0) boxes_->send(rank(), to, out);
    if (from < 0) return;
    const auto bytes = boxes_->receive(from, rank());
    if (bytes.size() != in.size()) {
      boxes_->abort(rank(), "the ranks do not make the same calls");
      detail::throw_other_sizes(*this, from, bytes.size(), in.size());
    }
    std::copy(bytes.begin(), bytes.end(), in.begin());
  }

  std::shared_ptr<Mailboxes> boxes_;
};

void run_rank(const std::function<void(const Communicator&)>& f, const Communicator& own,
              Mailboxes& boxes, std::exception_ptr& error) {
  try {
    f(own);
  } catch (const std::exception& e) {
    error = std::current_exception();
    own.abort(e.what());
  } catch (...) {
    error = std::current_exception();
    own.abort("it threw what is no std::exception");
  }
  boxes.end(own.rank());
}

/// The error of the rank at which it began, else the first one.
void throw_first(const std::vector<std::exception_ptr>& errors, int failed) {
  auto first = failed < 0 ? nullptr : errors[static_cast<std::size_t>(failed)];
  std::size_t rank = first ? static_cast<std::size_t>(failed) : 0;
  while (!first && rank < errors.size()) first = errors[rank++];
  if (!first) return;
  try {
    std::rethrow_exception(first);
  } catch (const RankError&) {
    throw;
  } catch (const Error& error) {
    detail::throw_again(error, fmt::format("rank {} of {}: ", failed, errors.size()));
  }
}

}  // namespace

void run_ranks(int ranks, const std::function<void(const Communicator&)>& f,
               const RunRanksOptions& options) {
  if (!f) {
    fail<OptionError>(in_run_ranks,
                      "it was given a function that is empty; expected one that "
                      "takes a Communicator");
  }
  check::option(in_run_ranks, "ranks", ranks, 1, 257);
  check::above_0(in_run_ranks, "deadline", options.deadline);
  const auto boxes = std::make_shared<Mailboxes>(ranks, options.deadline);
  std::vector<std::exception_ptr> errors(static_cast<std::size_t>(ranks));
  std::vector<std::thread> threads;
  try {
    for (int r = 0; r < ranks; ++r) {
      const Communicator own(std::make_shared<ThreadTransport>(boxes, r, ranks));
      threads.emplace_back([&f, &boxes, &error = errors[static_cast<std::size_t>(r)], own] {
        run_rank(f, own, *boxes, error);
      });
    }
  } catch (const std::system_error& error) {
    boxes->abort(static_cast<int>(threads.size()),
                 fmt::format("the system gives no thread for it ({})", error.what()));
    boxes->end(static_cast<int>(threads.size()));
  }
  for (auto& thread : threads) thread.join();
  throw_first(errors, boxes->failed());
}

}  // namespace maskgrad
