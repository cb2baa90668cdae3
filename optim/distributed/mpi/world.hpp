#pragma once

#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include <maskgrad/optim/distributed/mpi/mpi.hpp>
#include <maskgrad/optim/distributed/transport.hpp>

namespace maskgrad::detail {

/// What one rank tells the others beside the data.
struct MpiWord {
  enum Kind : std::int32_t { alive, failed, ended };
  std::int32_t kind = alive, origin = 0;
  char text[2040] = {};
};

/// MPI in this process, from the first communicator to the end. A thread of its own gives signs of
/// life to the next rank, and hears from the one before and of failures; where MPI allows no
/// threads, whoever waits does that in its place.
class MpiWorld {
 public:
  explicit MpiWorld(const MpiOptions& options);
  MpiWorld(const MpiWorld&) = delete;
  MpiWorld& operator=(const MpiWorld&) = delete;

  int rank() const { return rank_; }
  int size() const { return size_; }
  MPI_Comm data() const { return data_; }
  /// Throws where any rank has failed.
  void refuse_failed();
  /// Whether a rank has ended in good order.
  bool has_ended(int rank) const { return ended_[static_cast<std::size_t>(rank)]; }
  /// Once in a while in a loop that waits: looks after the rest, and gives the core away.
  void wait_a_little(int round);
  /// The first failure is the one that counts. `tell`: the others do not know of it.
  void set_failure(int origin, const std::string& text, bool tell);
  /// When the process ends: waits for the others, and takes down MPI.
  void end();

 private:
  using Clock = std::chrono::steady_clock;

  void watch();
  /// Hears what came, says what is to be said.
  void look_after();
  void hear(const MpiWord& word, int from);
  void check_silence();
  void say(const MpiWord& word, int to);
  /// Whether all have come to their end; where one has failed, within a while.
  bool all_came();

  int rank_ = 0, size_ = 1;
  double deadline_;
  MPI_Comm data_ = MPI_COMM_NULL, words_ = MPI_COMM_NULL;
  bool threads_ = false;  ///< MPI may be called by several
  bool crowded_ = false;  ///< this machine has more ranks than cores
  std::thread watcher_;
  std::atomic<bool> stop_{false}, has_failed_{false};
  std::mutex mutex_;  ///< of all below
  std::optional<std::pair<int, std::string>> failure_;
  std::vector<std::atomic<bool>> ended_;
  Clock::time_point heard_, said_;
  struct Saying {
    MPI_Request request;
    std::unique_ptr<MpiWord> word;
  };
  std::vector<Saying> saying_;
};

}  // namespace maskgrad::detail
