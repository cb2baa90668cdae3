#pragma once

#include <maskgrad/layers/metrics/metric.hpp>

namespace maskgrad {

struct ConfusionMatrixOptions {
  std::int64_t num_classes;

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f(extend::required("num_classes"), o.num_classes);
  }
};

/// How often, or with what weight, each class (row) was taken for each (column); of nothing 0.
/// Shapes:   y_true ids [batch, ...] i64; y_pred ids like them, or scores [batch, ..., classes], of
///           which the greatest counts, the first of equal ones. A position whose scores are all
///           the same was taken for no class: it is in the count alone. The result is [classes,
///           classes], f64.
/// Mask:     as Metric; over classes it is a MaskError.
/// Throws:   as Metric's update; OptionError for less than one class.
/// Example:  mg::ConfusionMatrix matrix{{.num_classes = 3}};
///           matrix.update(labels, model.predict(x));
///           matrix.result();  // [3, 3]
class ConfusionMatrix final : public Metric {
 public:
  explicit ConfusionMatrix(ConfusionMatrixOptions options);
  void write_options(extend::OptionWriter& writer) const override;
  Tensor result() const override;

 protected:
  Sums measure(const Tensor&, const Tensor&, const Tensor&) const override;
  bool keeps(const std::vector<double>& sums) const override {
    return sums.size() == static_cast<std::size_t>(options_.num_classes * options_.num_classes);
  }

 private:
  ConfusionMatrixOptions options_;
};

}  // namespace maskgrad
