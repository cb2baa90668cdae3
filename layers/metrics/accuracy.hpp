#pragma once

#include <maskgrad/layers/metrics/metric.hpp>

namespace maskgrad {

// The share of valid positions, or of their weights, at which the prediction is right.
// Shapes:   y_true and y_pred [batch, ..., features or classes]; the sparse ones: y_true ids
//           [batch, ...] i64, y_pred [batch, ..., classes].
// Mask:     as Metric; over classes it is a MaskError.
// Throws:   as Metric's update; OptionError for options out of range.

/// The one of the three that the shapes ask for, as Keras's "accuracy": ids [...] for y_pred
/// [..., classes]: SparseCategoricalAccuracy; one feature: BinaryAccuracy of probabilities; else
/// CategoricalAccuracy. make_metric knows it as "accuracy".
/// Example:  mg::Accuracy accuracy;
///           accuracy.update(labels, model.predict(x));
class Accuracy final : public Metric {
 public:
  Accuracy() : Metric("accuracy") {}

 protected:
  Sums measure(const Tensor&, const Tensor&, const Tensor&) const override;
};

struct BinaryAccuracyOptions {
  double threshold = 0.5;  ///< a prediction above it is 1

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("threshold", o.threshold);
  }
};

/// Of 0 and 1, the mean over features. Where the mask covers the features, each is a position.
/// Example:  mg::BinaryAccuracy accuracy{{.threshold = 0.3}};
///           accuracy.update(onehot, mg::sigmoid(model.predict(x)));
class BinaryAccuracy final : public Metric {
 public:
  explicit BinaryAccuracy(BinaryAccuracyOptions options = {});
  void write_options(extend::OptionWriter& writer) const override;

 protected:
  Sums measure(const Tensor&, const Tensor&, const Tensor&) const override;

 private:
  BinaryAccuracyOptions options_;
};

/// Right where target and prediction are greatest at one class, the first of equal ones; where all
/// scores are the same none is.
/// Example:  mg::CategoricalAccuracy accuracy;
///           accuracy.update(onehot, model.predict(x));
class CategoricalAccuracy final : public Metric {
 public:
  CategoricalAccuracy() : Metric("CategoricalAccuracy") {}

 protected:
  Sums measure(const Tensor&, const Tensor&, const Tensor&) const override;
};

/// Right where the true class has the greatest score, the first of equal ones; where all scores are
/// the same none has.
/// Example:  mg::SparseCategoricalAccuracy accuracy;
///           accuracy.update(labels, model.predict(x), mg::tensor({1.0f, 1.0f, 0.5f, 1.0f}, {4}));
class SparseCategoricalAccuracy final : public Metric {
 public:
  SparseCategoricalAccuracy() : Metric("SparseCategoricalAccuracy") {}

 protected:
  Sums measure(const Tensor&, const Tensor&, const Tensor&) const override;
};

struct TopKOptions {
  std::int64_t k = 5;

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("k", o.k);
  }
};

/// Right where fewer than k classes have a greater score than the true one, the target's greatest,
/// as TensorFlow's in_top_k has it, but not where all scores are the same.
/// Example:  mg::TopKCategoricalAccuracy accuracy{{.k = 2}};
///           accuracy.update(onehot, model.predict(x));
class TopKCategoricalAccuracy final : public Metric {
 public:
  explicit TopKCategoricalAccuracy(TopKOptions options = {});
  void write_options(extend::OptionWriter& writer) const override;

 protected:
  Sums measure(const Tensor&, const Tensor&, const Tensor&) const override;

 private:
  TopKOptions options_;
};

/// The same for ids.
/// Example:  mg::SparseTopKCategoricalAccuracy accuracy{{.k = 2}};
///           accuracy.update(labels, model.predict(x));
class SparseTopKCategoricalAccuracy final : public Metric {
 public:
  explicit SparseTopKCategoricalAccuracy(TopKOptions options = {});
  void write_options(extend::OptionWriter& writer) const override;

 protected:
  Sums measure(const Tensor&, const Tensor&, const Tensor&) const override;

 private:
  TopKOptions options_;
};

}  // namespace maskgrad
