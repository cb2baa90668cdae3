#pragma once

#include <string>
#include <vector>

#include <maskgrad/core/tensor.hpp>
#include <maskgrad/layers/layer/options.hpp>

namespace maskgrad {

/// What a loss over many positions comes to.
enum class Reduction {
  mean,          ///< sum over valid positions / their number
  sum,           ///< the sum
  none,          ///< the positions themselves: `positions()`
  per_sequence,  ///< the mean of each sequence's mean, over the sequences that have a valid step
};
std::string_view name(Reduction reduction);
/// Its name, as an option.
namespace extend {
void read_option(OptionReader& reader, OptionName name, Reduction& value);
void write_option(OptionWriter& writer, OptionName name, const Reduction& value);
}  // namespace extend

/// A loss as sums and counts, so that the division happens once, over everything: any split into
/// parts gives the gradient of the whole. `a + 0.5 * b` keeps the terms and their counts.
class Loss {
 public:
  struct Term {
    std::string name;
    Tensor sum;        ///< scalar f64, on the tape
    double count = 0;  ///< what it is divided by: positions, sequences, or their weights
    double scale = 1;  ///< as in 0.5 * b
    Reduction reduction = Reduction::mean;
    std::int64_t fallen_away = 0;  ///< positions, see Loss::fallen_away
    double scaled_sum = 0;         ///< the sum times 2^-100, where f64 cannot hold it, else 0
    /// What the term's gradient is multiplied by in all: scale / count, or scale for a sum.
    double factor(double whole_count) const;
  };

  Loss(std::string name, const Tensor& positions, Reduction reduction, std::int64_t sequences,
       double count, const Tensor& sum);

  /// The reported value: of nothing valid 0 (see count).
  double value() const;
  double item() const { return value(); }
  /// What the mean was over; of several terms the first one's.
  double count() const { return terms_.front().count; }
  const std::vector<Term>& terms() const { return terms_; }
  /// Positions that are valid in the target or in the prediction alone, where both have a mask: no
  /// loss is counted there, which is rarely meant. Of all terms.
  std::int64_t fallen_away() const;
  void set_fallen_away(std::int64_t positions) { terms_.front().fallen_away = positions; }
  void set_scaled_sum(double sum) { terms_.front().scaled_sum = sum; }
  /// The loss at each position, under the mask of the prediction (and target).
  const Tensor& positions() const { return positions_; }
  /// Sequences in the batch, as noise counts them.
  std::int64_t sequences() const { return sequences_; }
  /// Sequences that were left out as they cannot have their labels (ctc with skip_infeasible), of
  /// all terms together.
  std::int64_t skipped() const { return skipped_; }
  void add_skipped(std::int64_t sequences) { skipped_ += sequences; }
  /// Adds the gradient of `value()` to every parameter and input behind it. The noise of their
  /// models goes on behind the batch's sequences.
  /// Throws:   GradError for the reduction `none`, and where the tape was used already.
  void backward(const BackwardOptions& options = {}) const;
  /// `value()` on the tape, a scalar f64: for `gradients`, and what else is made of operations.
  /// Throws:   GradError for the reduction `none`.
  Tensor tensor() const;
  /// `mean_squared_error (mean over 1834 positions)`, and what was skipped.
  std::string str() const;

  friend Loss operator+(Loss a, const Loss& b);
  friend Loss operator*(double scale, Loss loss);

 private:
  std::vector<Term> terms_;
  Tensor positions_;
  std::int64_t sequences_ = 0, skipped_ = 0;
};
/// The terms of both, and a loss with its terms scaled; each term keeps its own count.
Loss operator+(Loss a, const Loss& b);
Loss operator*(double scale, Loss loss);
inline Loss operator*(Loss loss, double scale) {
  return scale * std::move(loss);
}

struct LossOptions {
  Reduction reduction = Reduction::mean;
  /// Weights of 0 or more: one for each position, or, with fewer axes, one for all positions behind
  /// an index ([batch]: one a sequence). The count is then their sum. Under per_sequence weights
  /// [batch] are those of the sequences' means; else a sequence's mean is the weighted one. What
  /// has the weight 0 is not read: NaN there reaches nothing.
  Tensor sample_weight = {};
  bool strict_lengths = false;  ///< refuses positions that fall away, see Loss

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("reduction", o.reduction);
    f("strict_lengths", o.strict_lengths);
  }
};

/// Makes a loss of values at positions [batch, ...]; for losses of one's own.
/// Throws:   ShapeError where the weights do not fit, OptionError for a weight below 0.
Loss make_loss(std::string name, const Tensor& positions, const LossOptions& options = {});

}  // namespace maskgrad
