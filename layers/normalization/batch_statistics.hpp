#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include <maskgrad/autograd/ops/normalization/normalize.hpp>
#include <maskgrad/autograd/parameter.hpp>

namespace maskgrad::detail {

/// While one lives, what BatchNormalization measures in this thread's batches is kept here, and its
/// moving statistics stay as they are: for batches that are computed in parts, which move them by
/// the statistics of all parts together, once.
class BatchStatistics {
 public:
  struct Measured {
    Parameter moving_mean, moving_variance;
    double momentum = 0, count = 0;  ///< count: valid rows
    std::vector<double> mean, variance;
  };

  BatchStatistics();
  ~BatchStatistics();
  BatchStatistics(const BatchStatistics&) = delete;
  BatchStatistics& operator=(const BatchStatistics&) = delete;

  /// The innermost one; null outside of any.
  static BatchStatistics* current();
  /// Of each call of a layer, in order.
  std::vector<Measured> measured;

 private:
  BatchStatistics* outer_;
};

/// Where the shards of a step come together while each is computed by itself.
class ShardMeeting {
 public:
  virtual ~ShardMeeting() = default;
  /// Waits for the other shards to come to the same call, and gives each the sum over all.
  virtual void sum(std::string_view what, std::span<double> values) = 0;
};
/// While one lives, this thread computes a shard of a step.
class ShardMeetingScope {
 public:
  explicit ShardMeetingScope(std::shared_ptr<ShardMeeting> meeting);
  ~ShardMeetingScope();
  ShardMeetingScope(const ShardMeetingScope&) = delete;
  ShardMeetingScope& operator=(const ShardMeetingScope&) = delete;

 private:
  std::shared_ptr<ShardMeeting> outer_;
};
/// Sums over the shards of the step that this thread computes one of; empty where it is alone.
SumOver sum_over_shards();

/// moving = momentum moving + (1 - momentum) batch's.
void move_statistics(const Parameter& moving, const Tensor& batch, double momentum);
/// Moves them by mean and variance of all parts together: each is the same call, of other rows.
/// Nothing where no part had a valid row.
void move_statistics(const std::vector<BatchStatistics::Measured>& parts);

}  // namespace maskgrad::detail
