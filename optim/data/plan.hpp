#pragma once

#include <memory>
#include <mutex>

#include <maskgrad/core/random.hpp>
#include <maskgrad/optim/data/batches.hpp>

namespace maskgrad::data {

/// The batches of one epoch, as pieces of sequences.
struct Plan {
  std::vector<Piece> pieces;
  std::vector<std::uint8_t> begins;    ///< of each piece: a sequence begins with it
  std::vector<std::int64_t> first{0};  ///< of each batch: its first piece; one more at the end

  std::int64_t batches() const { return static_cast<std::int64_t>(first.size()) - 1; }
  std::span<const Piece> batch(std::int64_t b) const;
  void add(const Piece& piece, bool begins_with_it = true);
  void end_batch() { first.push_back(static_cast<std::int64_t>(pieces.size())); }
};

/// Checks options and makes plans; keeps the last one.
class Planner {
 public:
  Planner(Dataset data, BatchesOptions options);

  std::shared_ptr<const Plan> plan(std::int64_t epoch) const;
  const Dataset& data() const { return data_; }
  const BatchesOptions& options() const { return options_; }

 private:
  Plan make(std::int64_t epoch) const;
  std::vector<std::int64_t> order(Seed seed) const;
  void sort_buckets(std::vector<std::int64_t>& order) const;
  Plan cut(const std::vector<std::int64_t>& order) const;
  Plan windows(const std::vector<std::int64_t>& order) const;

  Dataset data_;
  BatchesOptions options_;
  mutable std::mutex mutex_;
  mutable std::int64_t epoch_ = -1;
  mutable std::shared_ptr<const Plan> last_;
};

}  // namespace maskgrad::data
