#pragma once

#include <vector>

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

/// moving = momentum moving + (1 - momentum) batch's.
void move_statistics(const Parameter& moving, const Tensor& batch, double momentum);
/// Moves them by mean and variance of all parts together: each is the same call, of other rows.
/// Nothing where no part had a valid row.
void move_statistics(const std::vector<BatchStatistics::Measured>& parts);

}  // namespace maskgrad::detail
