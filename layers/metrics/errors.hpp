#pragma once

#include <maskgrad/layers/metrics/metric.hpp>

namespace maskgrad {

// Mean errors of predictions, the mean over features at each valid position. Where the mask covers
// the features, each value is a position.
// Shapes:   y_true and y_pred [batch, ..., features].
// Mask, Throws: as Metric.

/// The mean of |y_pred - y_true|.
/// Example:  mg::MeanAbsoluteError error;
///           error.update(y, model.predict(x));
class MeanAbsoluteError final : public Metric {
 public:
  MeanAbsoluteError() : Metric("MeanAbsoluteError") {}

 protected:
  Sums measure(const Tensor&, const Tensor&, const Tensor&) const override;
};

/// The mean of (y_pred - y_true)^2.
/// Example:  mg::MeanSquaredError error;
///           error.update(y, model.predict(x));
class MeanSquaredError final : public Metric {
 public:
  MeanSquaredError() : Metric("MeanSquaredError") {}

 protected:
  Sums measure(const Tensor&, const Tensor&, const Tensor&) const override;
};

/// Its square root, taken once, of the mean over everything.
/// Example:  mg::RootMeanSquaredError error;
///           error.update(y, model.predict(x));
class RootMeanSquaredError final : public Metric {
 public:
  RootMeanSquaredError() : Metric("RootMeanSquaredError") {}
  Tensor result() const override;

 protected:
  Sums measure(const Tensor&, const Tensor&, const Tensor&) const override;
};

}  // namespace maskgrad
