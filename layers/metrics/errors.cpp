#include <maskgrad/layers/metrics/errors.hpp>

#include <cmath>

#include <maskgrad/layers/losses/regression.hpp>

namespace maskgrad {

MetricSums::Sums MeanAbsoluteError::measure(const Tensor& y_true, const Tensor& y_pred,
                                            const Tensor& sample_weight) const {
  return over(mean_absolute_error(y_true, y_pred).positions(), sample_weight);
}

MetricSums::Sums MeanSquaredError::measure(const Tensor& y_true, const Tensor& y_pred,
                                           const Tensor& sample_weight) const {
  return over(mean_squared_error(y_true, y_pred).positions(), sample_weight);
}

Tensor RootMeanSquaredError::result() const {
  return result_of({std::sqrt(mean())}, {});
}

MetricSums::Sums RootMeanSquaredError::measure(const Tensor& y_true, const Tensor& y_pred,
                                               const Tensor& sample_weight) const {
  return over(mean_squared_error(y_true, y_pred).positions(), sample_weight);
}

}  // namespace maskgrad
