#pragma once

#include <string>
#include <vector>

#include <maskgrad/core/tensor.hpp>
#include <maskgrad/layers/layer/options.hpp>

namespace maskgrad {

namespace extend {

/// What a metric has counted: sums over valid positions, in f64, which add up over batches, so that
/// any split of the data, and the sums of several processes, give the metric of the whole.
class MetricSums {
 public:
  virtual ~MetricSums() = default;

  /// The metric of all that was counted, f64: one value [], or several. Where nothing was counted
  /// it does not exist, and is masked; what is a sum is then 0.
  virtual Tensor result() const;
  /// The result where it is one number.
  /// Throws:   StateError where nothing was counted; ShapeError for several numbers.
  double value() const;
  /// How much was counted: the number of positions, or the sum of their weights.
  double count() const { return sums_.count; }
  /// Adds what another one has counted.
  /// Throws:   OptionError where it is another metric, or has other options; ShapeError where the
  ///           data had other classes or features.
  void merge(const MetricSums& other);
  void reset() { sums_ = {}; }
  /// What was counted, for a checkpoint: the count and the sums; and back, in a metric with the
  /// same options. OptionError for what it cannot have counted.
  std::vector<double> counted() const;
  void set_counted(const std::vector<double>& counted);
  /// Its name, as make_metric takes it.
  const std::string& kind() const { return kind_; }
  virtual void write_options(OptionWriter&) const {}

 protected:
  struct Sums {
    std::vector<double> values;  ///< empty before the first batch
    double count = 0;
    double exponent = 0;  ///< of a lone sum that f64 cannot hold: it is values[0] 2^exponent
  };

  explicit MetricSums(std::string_view kind) : kind_(kind) {}
  /// Whether it can have counted such sums.
  virtual bool keeps(const std::vector<double>& sums) const { return sums.size() == 1; }
  /// Puts a further batch's sums, or another metric's, to these.
  void join(const Sums& more);
  /// Adds the sums of more, which are as many: a + b, unless a metric keeps other things than sums.
  /// What throws does so before it changes any.
  virtual void add(Sums& all, const Sums& more) const;
  /// Whether there may be more of them with each batch.
  virtual bool grows() const { return false; }
  const Sums& sums() const { return sums_; }
  /// The sum of the values, one for each position, times their weights; and the weights' sum.
  Sums over(const Tensor& positions, const Tensor& sample_weight) const;
  /// sum / count of the first sum; 0 where nothing was counted.
  double mean() const;
  /// Whether one of n sums is NaN, and so what is made of them.
  bool any_nan(std::size_t from, std::size_t n) const;
  /// `values` as a result of this shape, which is masked where nothing was counted.
  Tensor result_of(const std::vector<double>& values, const Shape& shape) const;

 private:
  std::string kind_;
  Sums sums_;
};

}  // namespace extend

/// A metric of targets and predictions: `update` with each batch, then `value` or `result`.
/// NaN in what is counted makes it NaN, as it says of nothing whether it is right; where all scores
/// of a position are the same, no class is the greatest, and the position is right in none.
/// Mask:     consumes; a position counts where y_true, y_pred and sample_weight are all valid and
///           the weight is not 0. What stands elsewhere is not read.
/// Example:  mg::SparseCategoricalAccuracy accuracy;
///           for (const mg::Batch& b : batches.epoch(0)) {
///             accuracy.update(b.target, model.predict(b.inputs[0]));
///           }
class Metric : public extend::MetricSums {
 public:
  /// Counts a batch. `sample_weight`: weights of 0 or more, one for each position, or, with fewer
  /// axes, one for all positions behind an index ([batch]: one a sequence).
  /// Throws:   ShapeError (nothing is broadcast), TypeError, MaskError, IndexError; nothing of the
  ///           batch is counted then. StateError for a tensor without data.
  void update(const Tensor& y_true, const Tensor& y_pred, const Tensor& sample_weight = {});

 protected:
  using extend::MetricSums::MetricSums;
  /// The sums of one batch.
  virtual Sums measure(const Tensor& y_true, const Tensor& y_pred,
                       const Tensor& sample_weight) const = 0;
};

}  // namespace maskgrad
