#include <maskgrad/layers/metrics/metrics.hpp>

#include <limits>

#include <maskgrad/autograd/check.hpp>
#include <maskgrad/autograd/ops/arithmetic.hpp>
#include <maskgrad/autograd/ops/cast.hpp>
#include <maskgrad/autograd/ops/reduce.hpp>
#include <maskgrad/core/rows.hpp>

namespace maskgrad {

double MeanMetric::value() const {
  return count_ > 0 ? sum_ / count_ : std::numeric_limits<double>::quiet_NaN();
}

void SparseCategoricalAccuracy::update(const Tensor& target, const Tensor& scores) {
  constexpr std::string_view where = "SparseCategoricalAccuracy";
  check::ids(where, target);
  if (scores.rank() < 1 || !fits(target.shape(), scores.shape().sub(0, scores.rank() - 1))) {
    fail<ShapeError>(where,
                     "target {} for scores {}; expected target [...] and scores [..., "
                     "classes]",
                     target.describe(), scores.describe());
  }
  const Tensor right = equal(argmax(scores.value(), {-1}), target);
  add(maskgrad::sum(cast(right, DType::f64)).item(), static_cast<double>(rows::total(right)));
}

}  // namespace maskgrad
