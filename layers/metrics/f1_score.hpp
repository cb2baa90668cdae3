#pragma once

#include <optional>
#include <string>

#include <maskgrad/layers/metrics/metric.hpp>

namespace maskgrad {

struct F1ScoreOptions {
  /// none: a score for each class; micro: of all counts together; macro: the classes' mean;
  /// weighted: the mean weighted by how often a class is true.
  std::optional<std::string> average = {};
  /// A prediction above it is 1; none: a position's greatest is (all of them, unless they are 0, or
  /// all scores are the same).
  std::optional<double> threshold = {};
  /// macro leaves out classes that are neither true nor predicted, as scikit-learn's `labels` of
  /// those that are there; false: they have 0, as in Keras.
  bool ignore_absent = false;

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("average", o.average);
    f("threshold", o.threshold);
    f("ignore_absent", o.ignore_absent);
  }
};

/// 2 tp / (2 tp + fp + fn) of each class: the harmonic mean of precision and recall. A class that
/// is neither true nor predicted has 0, as in Keras.
/// Shapes:   y_true, of 0 and 1, and y_pred [batch, ..., classes], or y_true ids [batch, ...]
///           i64; the result is [classes], or one number with an average.
/// Mask:     as Metric; over classes it is a MaskError.
/// Throws:   as Metric's update; OptionError.
/// Example:  mg::F1Score f1{{.average = "macro"}};
///           f1.update(labels, model.predict(x));
class F1Score final : public Metric {
 public:
  explicit F1Score(F1ScoreOptions options = {});
  void write_options(extend::OptionWriter& writer) const override;
  Tensor result() const override;

 protected:
  Sums measure(const Tensor&, const Tensor&, const Tensor&) const override;
  bool keeps(const std::vector<double>& sums) const override {
    return !sums.empty() && sums.size() % 3 == 0;
  }

 private:
  F1ScoreOptions options_;
};

}  // namespace maskgrad
