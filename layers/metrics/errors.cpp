#include <maskgrad/layers/metrics/errors.hpp>

#include <cmath>
#include <limits>

#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/cast.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/layers/losses/pairs.hpp>
#include <maskgrad/layers/losses/regression.hpp>
#include <maskgrad/layers/metrics/wide_number.hpp>

namespace maskgrad {
namespace {

constexpr double none = std::numeric_limits<double>::infinity();

/// In f64, in which the square of every f32 has its place.
Tensor wide(const Tensor& x) {
  return is_real(x.dtype()) ? cast(x, DType::f64) : x;
}

}  // namespace

Metric::Sums MeanAbsoluteError::measure(const Tensor& y_true, const Tensor& y_pred,
                                        const Tensor& sample_weight) const {
  return over(mean_absolute_error(wide(y_true), wide(y_pred)).positions(), sample_weight);
}

Metric::Sums MeanSquaredError::measure(const Tensor& y_true, const Tensor& y_pred,
                                       const Tensor& sample_weight) const {
  return over(mean_squared_error(wide(y_true), wide(y_pred)).positions(), sample_weight);
}

Tensor RootMeanSquaredError::result() const {
  if (!(count() > 0)) return result_of({0}, {});
  const metrics::WideNumber sum{sums().values[0], sums().exponent};
  return result_of({sum.sqrt_over(count())}, {});
}

Metric::Sums RootMeanSquaredError::measure(const Tensor& y_true, const Tensor& y_pred,
                                           const Tensor& sample_weight) const {
  const Sums plain =
      over(mean_squared_error(wide(y_true), wide(y_pred)).positions(), sample_weight);
  const double sum = plain.exponent > 0 ? none : plain.values[0];
  if ((std::isfinite(sum) && sum >= metrics::WideNumber::least) || plain.count == 0) return plain;
  // Squares that f64 cannot hold, of errors that it can.
  const bool small = std::isfinite(sum);
  const auto [t, p] = losses::alike(kind(), wide(y_true), wide(y_pred));
  const Tensor e = small ? (p - t) * 0x1p600 : p * 0x1p-600 - t * 0x1p-600;
  Sums scaled = over(losses::at_positions(square(e)), sample_weight);
  if (scaled.exponent != 0 || !std::isfinite(scaled.values[0])) return plain;
  if (scaled.values[0] == 0) return plain;
  scaled.exponent = small ? -metrics::WideNumber::step : metrics::WideNumber::step;
  return scaled;
}

}  // namespace maskgrad
