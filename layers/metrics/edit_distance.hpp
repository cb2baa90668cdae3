#pragma once

#include <optional>

#include <maskgrad/layers/metrics/metric.hpp>

namespace maskgrad {

struct EditDistanceOptions {
  bool normalize = true;  ///< over the tokens of all targets; false: over the sequences
  /// Of predictions that CTC trains: neighbors that are the same become one, then this class goes.
  std::optional<std::int64_t> blank_index = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("normalize", o.normalize);
    f("blank_index", o.blank_index);
  }
};

/// How many tokens must be put in, taken out or replaced to make the prediction the target: with
/// `normalize` the error rate, 1 for as many errors as tokens.
/// Shapes:   y_true [batch, time] i64; y_pred [batch, other time] i64, or scores
///           [batch, other time, tokens], of which each step's greatest is its token;
///           sample_weight [batch].
/// Mask:     consumes; each runs by its own valid steps, in order. A sequence counts where either
///           has one, and no mask [batch] is false.
/// Throws:   ShapeError, TypeError, OptionError.
/// Source:   Levenshtein 1966; KerasHub, EditDistance.
/// Example:  mg::EditDistance edits{{.normalize = false}};
///           edits.update(labels, model.predict(x));
///           edits.value();  // edits a sequence
class EditDistance final : public Metric {
 public:
  explicit EditDistance(EditDistanceOptions options = {})
      : Metric("EditDistance"), options_(options) {}
  void write_options(extend::OptionWriter& writer) const override;

 protected:
  Sums measure(const Tensor&, const Tensor&, const Tensor&) const override;

 private:
  EditDistanceOptions options_;
};

}  // namespace maskgrad
