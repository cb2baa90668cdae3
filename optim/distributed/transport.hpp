#pragma once

#include <chrono>

#include <maskgrad/optim/distributed/communicator.hpp>

namespace maskgrad::detail {

/// How bytes come from rank to rank: what threads and MPI do each in their own way.
class Transport {
 public:
  Transport(int rank, int size) : rank_(rank), size_(size) {}
  virtual ~Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  int rank() const { return rank_; }
  int size() const { return size_; }
  /// Sends to one rank and receives from one, at a time; -1: from or to nobody. RankError where
  /// that cannot be, or another rank has failed.
  void exchange(int to, std::span<const std::byte> out, int from, std::span<std::byte> in);
  /// Tells all others; never throws and never waits.
  virtual void abort(const std::string& text) noexcept = 0;
  /// Sums in an order of its own; false where it has none.
  virtual bool sum(std::span<float>) { return false; }
  virtual bool sum(std::span<double>) { return false; }
  const RankTraffic& traffic() const { return traffic_; }

 protected:
  virtual void move(int to, std::span<const std::byte> out, int from, std::span<std::byte> in) = 0;
  /// Counts what a call sends, and how long it takes.
  class Counting {
   public:
    Counting(Transport& of, double bytes);
    ~Counting();
    Counting(const Counting&) = delete;
    Counting& operator=(const Counting&) = delete;

   private:
    RankTraffic& traffic_;
    std::chrono::steady_clock::time_point begin_;
  };

 private:
  int rank_, size_;
  RankTraffic traffic_;
};

/// RankError: `rank 3 of 8 failed: ...`.
[[noreturn]] void throw_rank_error(int rank, int size, const std::string& what);
/// RankError where two ranks do not do the same.
[[noreturn]] void throw_other_sizes(const Transport& own, int from, std::size_t got,
                                    std::size_t expected);

/// The sum over ranks, by halves: each rank adds up its part of the values and hands it to all, so
/// that it sends 2 (P - 1) / P times the values. Neighbors first, then pairs of pairs: a tree that
/// ranks which are a power of two continue upward from the tree inside of each.
void tree_sum(Transport& transport, std::span<float> values);
void tree_sum(Transport& transport, std::span<double> values);

}  // namespace maskgrad::detail
