#pragma once

#include <optional>
#include <span>
#include <string>

#include <maskgrad/layers/metrics/metric.hpp>
#include <maskgrad/layers/metrics/number_list.hpp>

namespace maskgrad {

struct AUCOptions {
  std::int64_t num_thresholds = 200;  ///< even from 0 to 1
  std::string curve = "ROC";          ///< or PR: precision over recall
  /// interpolation, or the lower (minoring) or upper (majoring) sum.
  std::string summation_method = "interpolation";
  detail::NumberList thresholds = {};  ///< in place of even ones; 0 and 1 are added
  bool multi_label = false;  ///< the mean of the labels' areas, a label being a last index
  std::optional<std::int64_t> num_labels = {};
  detail::NumberList label_weights = {};  ///< of that mean
  bool from_logits = false;               ///< takes their sigmoid
  /// Keeps every different score in place of thresholds: the exact area, of any numbers, whose
  /// memory grows with the data.
  bool exact = false;

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("num_thresholds", o.num_thresholds);
    f("curve", o.curve);
    f("summation_method", o.summation_method);
    f("thresholds", o.thresholds);
    f("multi_label", o.multi_label);
    f("num_labels", o.num_labels);
    f("label_weights", o.label_weights);
    f("from_logits", o.from_logits);
    f("exact", o.exact);
  }
};

/// The area under a curve, from the weight of 0 and 1 between each two thresholds. That weight is
/// exact, and so is any merge; the area is that of the curve through the thresholds: it cannot tell
/// apart predictions between two neighbors, and is too low or high by their share of pairs at most.
/// `exact` has no thresholds. 0 where 1 (in ROC also: where 0) is never true. PR is interpolated by
/// the counts, as Keras does (Davis and Goadrich 2006).
/// Shapes:   y_true, of 0 and 1, and y_pred, of probabilities, [batch, ..., features], or y_true
///           ids [batch, ...] i64 of y_pred's classes.
/// Mask:     as Metric; each valid value counts. With multi_label, over labels it is a MaskError.
/// Throws:   as Metric's update; OptionError, also for predictions that are no probabilities.
/// Example:  mg::AUC auc{{.curve = "PR", .from_logits = true}};
///           auc.update(onehot, model.predict(x));
class AUC final : public Metric {
 public:
  explicit AUC(AUCOptions options = {});
  void write_options(extend::OptionWriter& writer) const override;
  Tensor result() const override;

 protected:
  Sums measure(const Tensor&, const Tensor&, const Tensor&) const override;
  void add(Sums& all, const Sums& more) const override;
  bool grows() const override { return options_.exact; }
  bool keeps(const std::vector<double>& sums) const override;

 private:
  struct Point;
  /// What is predicted to be 1 at each threshold of a label, from the lowest, at which all is, to
  /// the highest, at which nothing is.
  std::vector<Point> points(std::size_t label) const;
  struct Scored;
  /// What `exact` keeps, sorted, each score once.
  static std::vector<Scored> in_order(const std::vector<double>& kept);
  static std::vector<Point> exact_points(std::span<const Scored> of_label);
  double area(const std::vector<Point>& points) const;
  std::size_t labels() const;
  std::size_t buckets() const { return thresholds_.size() + 1; }
  void check_labels(const Tensor& y_pred, std::size_t labels) const;

  AUCOptions options_;
  std::vector<double> thresholds_;
};

}  // namespace maskgrad
