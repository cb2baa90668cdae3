#include <maskgrad/layers/metrics/accuracy.hpp>

#include <algorithm>

#include <maskgrad/autograd/ops/arithmetic.hpp>
#include <maskgrad/autograd/ops/cast.hpp>
#include <maskgrad/autograd/ops/reduce.hpp>
#include <maskgrad/layers/check.hpp>
#include <maskgrad/layers/losses/pairs.hpp>
#include <maskgrad/layers/metrics/number_list.hpp>
#include <maskgrad/layers/metrics/values.hpp>

namespace maskgrad {
namespace {

/// Whether fewer than k scores are greater than that of the id. NaN is in no top.
Tensor in_top(std::int64_t k, const Tensor& ids, const Tensor& scores) {
  const Tensor right = rows::make(ids.shape(), DType::boolean, ids.mask());
  const auto to = rows::of_mutable<bool>(right);
  const auto own = rows::of<std::int64_t>(ids);
  dispatch_real("in_top", scores.dtype(), [&]<class T>() {
    for (std::size_t i = 0; i < to.size(); ++i) {
      const auto line = metrics::row<T>(scores, static_cast<std::int64_t>(i));
      const T score = line[static_cast<std::size_t>(own[i])];
      to[i] = score == score &&
              std::count_if(line.begin(), line.end(), [&](T s) { return s > score; }) < k;
    }
  });
  return right;
}

}  // namespace

BinaryAccuracy::BinaryAccuracy(BinaryAccuracyOptions options)
    : Metric("BinaryAccuracy"), options_(options) {
  check::number(kind(), "threshold", options.threshold);
}

void BinaryAccuracy::write_options(OptionWriter& writer) const {
  BinaryAccuracyOptions::each_option(options_, writer);
}

MetricSums::Sums BinaryAccuracy::measure(const Tensor& y_true, const Tensor& y_pred,
                                         const Tensor& sample_weight) const {
  const auto [t, p] = losses::alike(kind(), y_true, y_pred);
  metrics::check_labels(kind(), t);
  const Tensor predicted = cast(greater(p, full({}, options_.threshold, p.dtype())), p.dtype());
  return over(losses::at_positions(cast(equal(predicted, t), DType::f64)), sample_weight);
}

MetricSums::Sums CategoricalAccuracy::measure(const Tensor& y_true, const Tensor& y_pred,
                                              const Tensor& sample_weight) const {
  const auto [t, p] = losses::whole_rows(kind(), y_true, y_pred);
  return over(equal(argmax(t, {-1}), argmax(p, {-1})), sample_weight);
}

MetricSums::Sums SparseCategoricalAccuracy::measure(const Tensor& y_true, const Tensor& y_pred,
                                                    const Tensor& sample_weight) const {
  const auto [ids, scores] = metrics::classified(kind(), y_true, y_pred);
  return over(equal(argmax(scores, {-1}), ids), sample_weight);
}

TopKCategoricalAccuracy::TopKCategoricalAccuracy(TopKOptions options)
    : Metric("TopKCategoricalAccuracy"), options_(options) {
  check::at_least(kind(), "k", options.k, 1);
}

void TopKCategoricalAccuracy::write_options(OptionWriter& writer) const {
  TopKOptions::each_option(options_, writer);
}

MetricSums::Sums TopKCategoricalAccuracy::measure(const Tensor& y_true, const Tensor& y_pred,
                                                  const Tensor& sample_weight) const {
  const auto [t, p] = losses::whole_rows(kind(), y_true, y_pred);
  return over(in_top(options_.k, argmax(t, {-1}), p), sample_weight);
}

SparseTopKCategoricalAccuracy::SparseTopKCategoricalAccuracy(TopKOptions options)
    : Metric("SparseTopKCategoricalAccuracy"), options_(options) {
  check::at_least(kind(), "k", options.k, 1);
}

void SparseTopKCategoricalAccuracy::write_options(OptionWriter& writer) const {
  TopKOptions::each_option(options_, writer);
}

MetricSums::Sums SparseTopKCategoricalAccuracy::measure(const Tensor& y_true, const Tensor& y_pred,
                                                        const Tensor& sample_weight) const {
  const auto [ids, scores] = metrics::classified(kind(), y_true, y_pred);
  return over(in_top(options_.k, ids, scores), sample_weight);
}

}  // namespace maskgrad
