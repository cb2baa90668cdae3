#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <maskgrad/core/error.hpp>

namespace maskgrad {

/// Another rank failed, ended or does not answer: what all ranks do together has ended on all.
class RankError : public Error {
 public:
  RankError(std::string where_, std::string layer_, const std::string& text, int rank_ = -1)
      : Error(std::move(where_), std::move(layer_), text), rank(rank_) {}

  int rank;  ///< at which it began
};

/// What a rank has sent so far, and how long it waited and sent.
struct RankTraffic {
  double bytes = 0, messages = 0, seconds = 0;
};

namespace detail {
class Transport;
}

/// The processes or threads that train together, seen from one of them, its rank: a handle, cheap
/// to copy, for one thread at a time. All ranks make the same calls in the same order. Sums run in
/// one fixed tree over the ranks, so that they are the same bits on each. No call waits forever:
/// where a rank fails, ends, or does not answer, all others throw.
///   Made by run_ranks (threads) and mpi_communicator (MPI, in the library maskgrad-mpi); a
///   default-made one is none: `if (communicator)` is false.
/// Throws:   RankError, from every call, as soon as any rank has failed.
/// Example:  mg::run_ranks(2, [](const mg::Communicator& ranks) {
///             double rows[] = {10.0 + ranks.rank()};
///             ranks.sum(rows);  // 21 on both
///           });
class Communicator {
 public:
  Communicator() = default;
  /// One rank that is all there are: computes in shards as many would.
  static Communicator alone();
  explicit Communicator(std::shared_ptr<detail::Transport> transport);

  explicit operator bool() const { return transport_ != nullptr; }
  int rank() const;
  int size() const;

  /// Each value summed over all ranks, or the greatest of all.
  void sum(std::span<float> values) const;
  void sum(std::span<double> values) const;
  void max(std::span<double> values) const;
  /// The values of rank `from` on all. They are as many on each.
  void broadcast(std::span<std::byte> bytes, int from = 0) const;
  void broadcast(std::string& text, int from = 0) const;
  /// The text of each rank, by rank.
  std::vector<std::string> gather(std::string_view own) const;
  void barrier() const;
  /// Ends what the ranks do together: every other rank throws a RankError that names this rank and
  /// has the text, at its next call or in the one in which it waits.
  void abort(const std::string& text) const noexcept;

  /// Of this rank, since it began.
  RankTraffic traffic() const;
  /// For those who write calls of their own.
  detail::Transport& transport() const { return *transport_; }

 private:
  std::shared_ptr<detail::Transport> transport_;
};

}  // namespace maskgrad
