#include <maskgrad/layers/metrics/accuracy.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include <maskgrad/autograd/ops/shape/reshape.hpp>
#include <maskgrad/layers/layer/check.hpp>
#include <maskgrad/layers/losses/pairs.hpp>
#include <maskgrad/layers/metrics/number_list.hpp>
#include <maskgrad/layers/metrics/values.hpp>

namespace maskgrad {
namespace {

/// Of k and, of equal scores, the first alone.
struct Top {
  std::int64_t k = 1;
  bool first = true;
};

/// 1 where the class is in the top; NaN where a score is NaN.
template <extend::Real T>
double hit(std::span<const T> scores, std::size_t own, const Top& top) {
  if (metrics::any_nan(scores)) return std::numeric_limits<double>::quiet_NaN();
  if (metrics::all_tied(scores)) return 0;
  std::int64_t greater = 0, equal_before = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    greater += scores[i] > scores[own];
    equal_before += i < own && scores[i] == scores[own];
  }
  return greater < top.k && !(top.first && equal_before > 0);
}

/// That of each position, whose class is class_of(position).
template <extend::Real T, class F>
Tensor hits(const Tensor& scores, const Top& top, F&& class_of) {
  const Shape positions = scores.shape().sub(0, scores.rank() - 1);
  const Tensor right = rows::make(positions, DType::f64, scores.mask());
  std::int64_t i = 0;
  for (double& to : rows::of_mutable<double>(right)) {
    to = hit(metrics::row<T>(scores, i), class_of(i), top);
    ++i;
  }
  return right;
}

Tensor sparse_hits(std::string_view kind, const Tensor& y_true, const Tensor& y_pred,
                   const Top& top) {
  const auto pair = metrics::classified(kind, y_true, y_pred);
  const auto ids = rows::of<std::int64_t>(pair.ids);
  return extend::dispatch_real(kind, y_pred.dtype(), [&]<class T>() {
    return hits<T>(pair.scores, top, [&](std::int64_t i) {
      return static_cast<std::size_t>(ids[static_cast<std::size_t>(i)]);
    });
  });
}

Tensor categorical_hits(std::string_view kind, const Tensor& y_true, const Tensor& y_pred,
                        const Top& top) {
  const auto pair = losses::whole_rows(kind, y_true, y_pred);
  return extend::dispatch_real(kind, y_pred.dtype(), [&]<class T>() {
    const Tensor right = hits<T>(pair.prediction, top, [&](std::int64_t i) {
      const auto target = metrics::row<T>(pair.target, i);
      return static_cast<std::size_t>(std::max_element(target.begin(), target.end()) -
                                      target.begin());
    });
    std::int64_t i = 0;
    for (double& to : rows::of_mutable<double>(right)) {
      if (metrics::any_nan(metrics::row<T>(pair.target, i++))) to = std::nan("");
    }
    return right;
  });
}

/// The share of features at which a prediction above the threshold is 1.
Tensor binary_hits(std::string_view kind, const Tensor& y_true, const Tensor& y_pred,
                   double threshold) {
  const auto pair = losses::alike(kind, y_true, y_pred);
  metrics::check_labels(kind, pair.target);
  const Tensor right = rows::make(pair.prediction.shape(), DType::f64, pair.prediction.mask());
  const auto to = rows::of_mutable<double>(right);
  extend::dispatch_real(kind, pair.prediction.dtype(), [&]<class T>() {
    const auto labels = rows::of<T>(pair.target), scores = rows::of<T>(pair.prediction);
    for (std::size_t i = 0; i < to.size(); ++i) {
      const bool one = scores[i] > static_cast<T>(threshold);
      to[i] = scores[i] != scores[i] ? std::nan("") : one == (labels[i] != 0);
    }
  });
  return losses::at_positions(right);
}

}  // namespace

Metric::Sums Accuracy::measure(const Tensor& y_true, const Tensor& y_pred,
                               const Tensor& sample_weight) const {
  const bool ids = y_true.rank() + 1 == y_pred.rank();
  if (y_pred.rank() > 0 && y_pred.shape().back() == 1) {
    const Tensor labels = ids ? expand_dims(y_true, -1) : y_true;
    return over(binary_hits(kind(), labels, y_pred, 0.5), sample_weight);
  }
  if (ids && y_true.dtype() == DType::i64) {
    return over(sparse_hits(kind(), y_true, y_pred, {}), sample_weight);
  }
  return over(categorical_hits(kind(), y_true, y_pred, {}), sample_weight);
}

BinaryAccuracy::BinaryAccuracy(BinaryAccuracyOptions options)
    : Metric("BinaryAccuracy"), options_(options) {
  check::number(kind(), "threshold", options.threshold);
}

void BinaryAccuracy::write_options(extend::OptionWriter& writer) const {
  BinaryAccuracyOptions::each_option(options_, writer);
}

Metric::Sums BinaryAccuracy::measure(const Tensor& y_true, const Tensor& y_pred,
                                     const Tensor& sample_weight) const {
  return over(binary_hits(kind(), y_true, y_pred, options_.threshold), sample_weight);
}

Metric::Sums CategoricalAccuracy::measure(const Tensor& y_true, const Tensor& y_pred,
                                          const Tensor& sample_weight) const {
  return over(categorical_hits(kind(), y_true, y_pred, {}), sample_weight);
}

Metric::Sums SparseCategoricalAccuracy::measure(const Tensor& y_true, const Tensor& y_pred,
                                                const Tensor& sample_weight) const {
  return over(sparse_hits(kind(), y_true, y_pred, {}), sample_weight);
}

TopKCategoricalAccuracy::TopKCategoricalAccuracy(TopKOptions options)
    : Metric("TopKCategoricalAccuracy"), options_(options) {
  check::at_least(kind(), "k", options.k, 1);
}

void TopKCategoricalAccuracy::write_options(extend::OptionWriter& writer) const {
  TopKOptions::each_option(options_, writer);
}

Metric::Sums TopKCategoricalAccuracy::measure(const Tensor& y_true, const Tensor& y_pred,
                                              const Tensor& sample_weight) const {
  return over(categorical_hits(kind(), y_true, y_pred, {options_.k, false}), sample_weight);
}

SparseTopKCategoricalAccuracy::SparseTopKCategoricalAccuracy(TopKOptions options)
    : Metric("SparseTopKCategoricalAccuracy"), options_(options) {
  check::at_least(kind(), "k", options.k, 1);
}

void SparseTopKCategoricalAccuracy::write_options(extend::OptionWriter& writer) const {
  TopKOptions::each_option(options_, writer);
}

Metric::Sums SparseTopKCategoricalAccuracy::measure(const Tensor& y_true, const Tensor& y_pred,
                                                    const Tensor& sample_weight) const {
  return over(sparse_hits(kind(), y_true, y_pred, {options_.k, false}), sample_weight);
}

}  // namespace maskgrad
