#pragma once

#include <maskgrad/layers/metrics/metric.hpp>

namespace maskgrad {

/// The mean of valid values, or of numbers such as losses.
/// Example:  const mg::Loss loss = mg::mean_squared_error(y, model(x));
///           mg::Mean loss_mean;
///           loss_mean.update(loss.value(), loss.count());
class Mean final : public extend::MetricSums {
 public:
  Mean() : extend::MetricSums("Mean") {}
  /// Counts the valid values of a tensor, as Metric does.
  void update(const Tensor& values, const Tensor& sample_weight = {});
  /// Counts a number. OptionError for a weight that is below 0 or not finite.
  void update(double value, double weight = 1);
};

}  // namespace maskgrad
