#include <maskgrad/layers/metrics/mean.hpp>

#include <cmath>

#include <maskgrad/autograd/mode.hpp>
#include <maskgrad/layers/metrics/wide_number.hpp>

namespace maskgrad {

void Mean::update(const Tensor& values, const Tensor& sample_weight) {
  const NoGrad no_grad;
  join(over(values.value(), sample_weight));
}

void Mean::update(double value, double weight) {
  if (!(weight >= 0) || std::isinf(weight)) {
    fail<OptionError>(kind(), "the weight is {}; expected a finite number of 0 or more", weight);
  }
  if (weight == 0) return;
  constexpr double step = metrics::WideNumber::step;
  const double plain = value * weight;
  if (std::isfinite(plain) || !std::isfinite(value)) return join({{plain}, weight});
  join({{std::ldexp(value, -static_cast<int>(step)) * weight}, weight, step});
}

}  // namespace maskgrad
