#pragma once

#include <optional>

#include <maskgrad/layers/metrics/metric.hpp>
#include <maskgrad/layers/metrics/number_list.hpp>

namespace maskgrad {

struct PrecisionOptions {
  detail::NumberList thresholds =
      {};  ///< a prediction above it is 1; none: 0.5, with top_k all in the top
  /// Only a position's k greatest may be 1, of equal ones the first; none where all are the same.
  std::optional<std::int64_t> top_k = {};
  std::optional<std::int64_t> class_id = {};  ///< only this class counts

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("thresholds", o.thresholds);
    f("top_k", o.top_k);
    f("class_id", o.class_id);
  }
};
using RecallOptions = PrecisionOptions;

namespace detail {

/// What Precision and Recall count at each threshold: true and false positives, false negatives.
class ThresholdCounts : public Metric {
 public:
  void write_options(extend::OptionWriter& writer) const override;

 protected:
  ThresholdCounts(std::string_view kind, PrecisionOptions options);
  Sums measure(const Tensor&, const Tensor&, const Tensor&) const override;
  bool keeps(const std::vector<double>& sums) const override {
    return sums.size() == 3 * thresholds_.size();
  }
  /// At each threshold true positives over themselves and the `others`-th count; 0 where there are
  /// neither.
  Tensor shares(std::size_t others) const;

 private:
  PrecisionOptions options_;
  std::vector<double> thresholds_;
};

}  // namespace detail

/// true positives / predicted positives; 0, as in Keras, where nothing is predicted to be 1.
/// Shapes:   y_true, of 0 and 1, and y_pred [batch, ..., features], or y_true [batch, ...] i64,
///           ids of y_pred's classes; the result has a value for each threshold, and is one
///           number for one.
/// Mask:     as Metric; each valid value counts. With top_k, over features it is a MaskError.
/// Throws:   as Metric's update; OptionError; IndexError for a class that is not there.
/// Example:  mg::Precision precision{{.thresholds = {0.3, 0.7}}};
///           precision.update(onehot, mg::sigmoid(model.predict(x)));
///           precision.result();  // [2]
class Precision final : public detail::ThresholdCounts {
 public:
  explicit Precision(PrecisionOptions options = {})
      : detail::ThresholdCounts("Precision", std::move(options)) {}
  Tensor result() const override { return shares(1); }
};

/// true positives / all that are 1; 0, as in Keras, where nothing is. The rest as Precision.
/// Example:  mg::Recall recall{{.class_id = 1}};
///           recall.update(onehot, mg::sigmoid(model.predict(x)));
class Recall final : public detail::ThresholdCounts {
 public:
  explicit Recall(RecallOptions options = {})
      : detail::ThresholdCounts("Recall", std::move(options)) {}
  Tensor result() const override { return shares(2); }
};

}  // namespace maskgrad
