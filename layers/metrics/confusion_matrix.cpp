#include <maskgrad/layers/metrics/confusion_matrix.hpp>

#include <maskgrad/autograd/check.hpp>
#include <maskgrad/autograd/ops/reduce.hpp>
#include <maskgrad/core/checked.hpp>
#include <maskgrad/layers/check.hpp>
#include <maskgrad/layers/metrics/values.hpp>

namespace maskgrad {

ConfusionMatrix::ConfusionMatrix(ConfusionMatrixOptions options)
    : Metric("ConfusionMatrix"), options_(options) {
  check::at_least(kind(), "num_classes", options.num_classes, 1);
}

void ConfusionMatrix::write_options(OptionWriter& writer) const {
  ConfusionMatrixOptions::each_option(options_, writer);
}

MetricSums::Sums ConfusionMatrix::measure(const Tensor& y_true, const Tensor& y_pred,
                                          const Tensor& sample_weight) const {
  const auto classes = options_.num_classes;
  Tensor predicted = y_pred;
  if (is_real(y_pred.dtype())) {
    if (y_pred.rank() < 1 || y_pred.shape().back() != classes) {
      fail<ShapeError>(kind(), "y_pred is {}; expected scores of {} classes", y_pred.describe(),
                       classes);
    }
    check::inner_axis(kind(), y_pred, -1, "mask whole positions");
    predicted = argmax(y_pred, {-1});
  }
  check::ids(kind(), y_true);
  check::ids(kind(), predicted);
  if (y_true.shape() != predicted.shape()) {
    fail<ShapeError>(kind(),
                     "y_true {} for y_pred {}; expected ids [...] and ids [...] or scores [..., "
                     "classes]",
                     y_true.describe(), y_pred.describe());
  }
  const auto pair = losses::together(y_true, predicted);
  const auto [t, p, w] = metrics::weighted(kind(), pair, pair.target.rank(), sample_weight);
  metrics::check_ids(kind(), "y_true", t, classes);
  metrics::check_ids(kind(), "y_pred", p, classes);
  Sums all{checked::vector<double>(kind(), Shape{classes, classes}.count())};
  const auto from = rows::of<std::int64_t>(t), to = rows::of<std::int64_t>(p);
  const auto weights = rows::of<double>(w);
  for (std::size_t i = 0; i < from.size(); ++i) {
    all.values[static_cast<std::size_t>(from[i] * classes + to[i])] += weights[i];
    all.count += weights[i];
  }
  return all;
}

Tensor ConfusionMatrix::result() const {
  const Shape shape{options_.num_classes, options_.num_classes};
  const auto& counted = sums().values;
  return counted.empty() ? zeros(shape, DType::f64) : tensor(counted, shape);
}

}  // namespace maskgrad
