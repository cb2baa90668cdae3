#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <maskgrad/layers/normalization/batch_statistics.hpp>
#include <maskgrad/optim/distributed/communicator.hpp>

namespace maskgrad::detail {

/// Computes the shards of a step that are this rank's, one after the other, unless they meet: what
/// is made of all shards, as synchronized statistics are, has each wait where it asks for them until
/// all others have come there too, those of other ranks as well. So that each goes on where it
/// waits, it then has a thread of its own; one alone runs at a time. Where nothing asks, no thread
/// is made and nothing is kept.
class ShardTeam {
 public:
  explicit ShardTeam(Communicator communicator) : communicator_(std::move(communicator)) {}
  ~ShardTeam();
  ShardTeam(const ShardTeam&) = delete;
  ShardTeam& operator=(const ShardTeam&) = delete;

  struct Work {
    std::vector<bool> has_rows;  ///< of each shard of this rank
    /// Computes one that has rows; `apart`: in a thread of its own, while others wait.
    std::function<void(std::size_t shard, bool apart)> shard;
    /// Control goes from one shard to another: what they share and each changes is put aside.
    std::function<void(std::size_t from, std::size_t to)> turn;
  };
  /// Throws what the first shard that fails throws; the others have then ended too.
  void run(const Work& work);
  /// This rank has no more to compute: takes part in what others still sum, until none does. The
  /// message of each rank.
  std::vector<std::string> end(const std::string& message) const;

 private:
  enum class Stage { none, fresh, ready, waiting, ended };
  struct Member {
    Stage stage = Stage::none;
    std::thread thread;  ///< none: the shard runs in the thread that called run
    std::string what;
    std::span<double> values;
    std::exception_ptr error;
  };
  class Meeting;

  void start(std::size_t shard);
  /// Lets a shard with a thread run until it waits or has ended.
  void resume(std::size_t shard);
  /// A shard waits for all others.
  void meet(std::size_t shard, std::string_view what, std::span<double> values);
  /// The shards behind `own`, which runs in this thread, come to where it stands.
  void gather_others(std::size_t own);
  void sum_waiting();
  void cancel() noexcept;
  std::vector<double> sum_here(std::size_t count) const;

  Communicator communicator_;
  const Work* work_ = nullptr;
  std::vector<Member> members_;
  std::size_t own_ = 0;  ///< the shard that runs in the thread that called run
  bool cancelled_ = false;

  std::mutex mutex_;
  std::condition_variable turned_;
  std::size_t turn_ = 0;  ///< the shard whose thread may run; own_: none of them
};

}  // namespace maskgrad::detail
