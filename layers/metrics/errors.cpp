#include <maskgrad/layers/metrics/errors.hpp>

#include <cmath>

#include <maskgrad/autograd/ops/cast.hpp>
#include <maskgrad/layers/losses/regression.hpp>

namespace maskgrad {
namespace {

/// In f64, in which the square of every f32 has its place.
Tensor wide(const Tensor& x) {
  return is_real(x.dtype()) ? cast(x, DType::f64) : x;
}

}  // namespace

MetricSums::Sums MeanAbsoluteError::measure(const Tensor& y_true, const Tensor& y_pred,
                                            const Tensor& sample_weight) const {
  return over(mean_absolute_error(wide(y_true), wide(y_pred)).positions(), sample_weight);
}

MetricSums::Sums MeanSquaredError::measure(const Tensor& y_true, const Tensor& y_pred,
                                           const Tensor& sample_weight) const {
  return over(mean_squared_error(wide(y_true), wide(y_pred)).positions(), sample_weight);
}

Tensor RootMeanSquaredError::result() const {
  return result_of({std::sqrt(mean())}, {});
}

MetricSums::Sums RootMeanSquaredError::measure(const Tensor& y_true, const Tensor& y_pred,
                                               const Tensor& sample_weight) const {
  return over(mean_squared_error(wide(y_true), wide(y_pred)).positions(), sample_weight);
}

}  // namespace maskgrad
