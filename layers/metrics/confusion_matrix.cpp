#include <maskgrad/layers/metrics/confusion_matrix.hpp>

#include <algorithm>
#include <cmath>

#include <maskgrad/autograd/check.hpp>
#include <maskgrad/core/checked.hpp>
#include <maskgrad/layers/layer/check.hpp>
#include <maskgrad/layers/metrics/values.hpp>

namespace maskgrad {

namespace {

constexpr std::int64_t tied = -1, unknown = -2;

/// The class of the greatest score; `tied` where all are the same, `unknown` where one is NaN.
Tensor greatest(std::string_view kind, const Tensor& scores) {
  const Tensor ids =
      rows::make(scores.shape().sub(0, scores.rank() - 1), DType::i64, scores.mask());
  extend::dispatch_real(kind, scores.dtype(), [&]<class T>() {
    std::int64_t i = 0;
    for (auto& id : rows::of_mutable<std::int64_t>(ids)) {
      const auto own = metrics::row<T>(scores, i++);
      id = std::max_element(own.begin(), own.end()) - own.begin();
      if (metrics::all_tied(own)) id = tied;
      if (metrics::any_nan(own)) id = unknown;
    }
  });
  return ids;
}

}  // namespace

ConfusionMatrix::ConfusionMatrix(ConfusionMatrixOptions options)
    : Metric("ConfusionMatrix"), options_(options) {
  check::at_least(kind(), "num_classes", options.num_classes, 1);
}

void ConfusionMatrix::write_options(extend::OptionWriter& writer) const {
  ConfusionMatrixOptions::each_option(options_, writer);
}

Metric::Sums ConfusionMatrix::measure(const Tensor& y_true, const Tensor& y_pred,
                                      const Tensor& sample_weight) const {
  const auto classes = options_.num_classes;
  Tensor predicted = y_pred;
  if (is_real(y_pred.dtype())) {
    if (y_pred.rank() < 1 || y_pred.shape().back() != classes) {
      fail<ShapeError>(kind(), "y_pred is {}; expected scores of {} classes", y_pred.describe(),
                       classes);
    }
    check::inner_axis(kind(), y_pred, -1, "mask whole positions");
    predicted = greatest(kind(), y_pred);
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
  if (!is_real(y_pred.dtype())) metrics::check_ids(kind(), "y_pred", p, classes);
  Sums all{checked::vector<double>(kind(), Shape{classes, classes}.count())};
  const auto from = rows::of<std::int64_t>(t), to = rows::of<std::int64_t>(p);
  const auto weights = rows::of<double>(w);
  for (std::size_t i = 0; i < from.size(); ++i) {
    all.count += weights[i];
    if (to[i] == tied) continue;
    if (to[i] == unknown) {
      std::fill(all.values.begin(), all.values.end(), std::nan(""));
      continue;
    }
    all.values[static_cast<std::size_t>(from[i] * classes + to[i])] += weights[i];
  }
  return all;
}

Tensor ConfusionMatrix::result() const {
  const Shape shape{options_.num_classes, options_.num_classes};
  const auto& counted = sums().values;
  return counted.empty() ? zeros(shape, DType::f64) : tensor(counted, shape);
}

}  // namespace maskgrad
