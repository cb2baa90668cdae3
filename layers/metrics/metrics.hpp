#pragma once

#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

/// A mean over valid positions that grows batch by batch, as (sum, count).
class MeanMetric {
 public:
  void add(double sum, double count) {
    sum_ += sum;
    count_ += count;
  }
  /// sum / count; NaN where nothing was counted: ask count() first.
  double value() const;
  double sum() const { return sum_; }
  double count() const { return count_; }
  void reset() { sum_ = count_ = 0; }

 private:
  double sum_ = 0, count_ = 0;
};

/// The share of valid positions whose greatest score stands at the true class.
class SparseCategoricalAccuracy : public MeanMetric {
 public:
  /// Shapes:   target [batch, ...] i64, scores [batch, ..., classes].
  /// Mask:     consumes; a position counts where both are valid.
  /// Throws:   ShapeError, TypeError.
  void update(const Tensor& target, const Tensor& scores);
};

}  // namespace maskgrad
