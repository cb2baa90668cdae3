#include <maskgrad/layers/metrics/precision_recall.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include <maskgrad/autograd/ops/shape/slice.hpp>
#include <maskgrad/autograd/ops/shape/sort.hpp>
#include <maskgrad/layers/layer/check.hpp>
#include <maskgrad/layers/metrics/values.hpp>

namespace maskgrad {
namespace {

constexpr double lowest = -std::numeric_limits<double>::infinity();

/// The k greatest scores of each position; -infinity in place of the others, and of all where they
/// are the same. NaN in all places where there is one.
Tensor top_alone(const Tensor& scores, std::int64_t k) {
  const Tensor top = top_k(scores, k).indices;
  const Tensor y = rows::make(scores.shape(), scores.dtype(), scores.mask());
  const auto width = scores.shape().back();
  extend::dispatch_real("top_k", scores.dtype(), [&]<class T>() {
    const auto from = rows::of<T>(scores);
    const auto to = rows::of_mutable<T>(y);
    std::fill(to.begin(), to.end(), static_cast<T>(lowest));
    const auto picked = rows::of<std::int64_t>(top);
    for (std::size_t i = 0; i < picked.size(); ++i) {
      const auto line = static_cast<std::int64_t>(i) / k;
      const auto at = static_cast<std::size_t>(line * width + picked[i]);
      to[at] = from[at];
    }
    for (std::int64_t line = 0; line * width < static_cast<std::int64_t>(to.size()); ++line) {
      const auto own = metrics::row<T>(scores, line);
      const auto put = [&](T v) { std::fill_n(to.begin() + line * width, width, v); };
      if (metrics::all_tied(own)) put(static_cast<T>(lowest));
      if (metrics::any_nan(own)) put(std::numeric_limits<T>::quiet_NaN());
    }
  });
  return y;
}

void check_class(std::string_view kind, std::int64_t id, const Tensor& y_pred) {
  if (id < y_pred.shape().back()) return;
  fail<IndexError>(kind, "the option .class_id is {} and y_pred is {}; expected a class below {}",
                   id, y_pred.describe(), y_pred.shape().back());
}

}  // namespace

detail::ThresholdCounts::ThresholdCounts(std::string_view kind, PrecisionOptions options)
    : Metric(kind), options_(std::move(options)), thresholds_(options_.thresholds.values) {
  check::numbers(kind, "thresholds", options_.thresholds);
  if (options_.top_k) check::at_least(kind, "top_k", *options_.top_k, 1);
  if (options_.class_id) check::at_least(kind, "class_id", *options_.class_id, 0);
  if (thresholds_.empty()) thresholds_ = {options_.top_k ? lowest : 0.5};
}

void detail::ThresholdCounts::write_options(extend::OptionWriter& writer) const {
  PrecisionOptions::each_option(options_, writer);
}

Metric::Sums detail::ThresholdCounts::measure(const Tensor& y_true, const Tensor& y_pred,
                                              const Tensor& sample_weight) const {
  const Tensor given = metrics::labels_for(kind(), y_true, y_pred);
  losses::Pair pair = losses::alike(kind(), given, y_pred);
  if (options_.top_k) {
    pair = losses::whole_rows(kind(), pair.target, pair.prediction);
    pair.prediction = top_alone(pair.prediction, *options_.top_k);
  }
  if (const auto id = options_.class_id) {
    check_class(kind(), *id, y_pred);
    pair = {slice(pair.target, -1, *id, *id + 1), slice(pair.prediction, -1, *id, *id + 1)};
  }
  const metrics::Weighted in =
      metrics::weighted(kind(), pair, pair.prediction.rank(), sample_weight);
  metrics::check_labels(kind(), in.target, in.weight);
  Sums all{std::vector<double>(3 * thresholds_.size())};
  const auto weights = rows::of<double>(in.weight);
  extend::dispatch_real(kind(), in.prediction.dtype(), [&]<class T>() {
    const auto labels = rows::of<T>(in.target), scores = rows::of<T>(in.prediction);
    for (std::size_t i = 0; i < scores.size(); ++i) {
      if (weights[i] == 0) continue;
      all.count += weights[i];
      if (scores[i] != scores[i]) std::fill(all.values.begin(), all.values.end(), std::nan(""));
      for (std::size_t k = 0; k < thresholds_.size(); ++k) {
        const bool positive = labels[i] != 0;
        const bool predicted = scores[i] > static_cast<T>(thresholds_[k]);
        if (!positive && !predicted) continue;
        all.values[3 * k + (positive && predicted ? 0 : predicted ? 1 : 2)] += weights[i];
      }
    }
  });
  return all;
}

Tensor detail::ThresholdCounts::shares(std::size_t others) const {
  std::vector<double> all(thresholds_.size());
  for (std::size_t k = 0; k < all.size() && count() > 0; ++k) {
    const double* of = &sums().values[3 * k];
    const double total = of[0] + of[others];
    all[k] = total == 0 ? 0 : of[0] / total;
  }
  const bool one = all.size() == 1;
  return result_of(all, one ? Shape{} : Shape{static_cast<std::int64_t>(all.size())});
}

}  // namespace maskgrad
