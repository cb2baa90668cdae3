#pragma once

#include <optional>
#include <string>

#include <maskgrad/layers/metrics/metric.hpp>

namespace maskgrad {

struct R2ScoreOptions {
  /// none: a score for each feature; uniform_average: their mean; variance_weighted_average: the
  /// mean weighted by how much a feature's target varies.
  std::optional<std::string> class_aggregation = "uniform_average";
  std::int64_t num_regressors = 0;  ///< above 0: the adjusted score

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("class_aggregation", o.class_aggregation);
    f("num_regressors", o.num_regressors);
  }
};

/// 1 - (sum of squared errors) / (sum of squares of the target around its mean) of each feature.
/// Where the target does not vary it is 1 without an error, else 0. Batches' means are joined, not
/// their squares, so no digits are lost to a large mean. The adjusted score is
/// 1 - (1 - R2) (n - 1) / (n - num_regressors - 1), of n positions; R2 where there are too few.
/// Shapes:   y_true and y_pred [batch, ..., features]; the result is one number, or [features].
/// Mask:     as Metric; over features it is a MaskError.
/// Throws:   as Metric's update; OptionError.
/// Source:   Chan, Golub and LeVeque 1979; Keras 3, R2Score.
/// Example:  mg::R2Score score{{.class_aggregation = std::nullopt}};
///           score.update(y, model.predict(x));
///           score.result();  // [3]
class R2Score final : public Metric {
 public:
  explicit R2Score(R2ScoreOptions options = {});
  void write_options(extend::OptionWriter& writer) const override;
  Tensor result() const override;

 protected:
  Sums measure(const Tensor&, const Tensor&, const Tensor&) const override;
  bool keeps(const std::vector<double>& sums) const override;
  void add(Sums& all, const Sums& more) const override;

 private:
  R2ScoreOptions options_;
};

}  // namespace maskgrad
