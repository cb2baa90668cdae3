#pragma once

#include <string>

#include <maskgrad/autograd/ops/loss/row_loss.hpp>
#include <maskgrad/layers/losses/pairs.hpp>

/// The weights of a loss's positions, for losses of one's own too.
namespace maskgrad::losses {

/// Weights of positions, which are the first `axes` axes of x. What has the weight 0 is left out by
/// `kept` before it is read, so that NaN there reaches nothing; the same for weights under a mask.
class Weights {
 public:
  /// All 1 where `sample_weight` is undefined. Throws: as make_loss.
  Weights(std::string_view name, const Tensor& x, int axes, Reduction reduction,
          const Tensor& sample_weight);

  /// x, which has the positions as its first axes, without those of weight 0.
  Tensor kept(const Tensor& x) const { return some_ ? with_some(x) : x; }
  /// Multiplies by the weights of classes at the positions that are kept.
  void times(const Tensor& of_classes);
  /// Positions that one of the two masks alone has, for the loss to say.
  void set_fallen_away(std::int64_t positions) { fallen_away_ = positions; }
  /// The loss of what was computed from what was kept.
  Loss loss(const Tensor& positions) const;

 private:
  Tensor with_some(const Tensor& x) const;
  void leave_out_zeros(const Tensor& weights);
  Tensor with_zeros(const Tensor& positions) const;
  Loss made(const Tensor& positions) const;
  Loss per_sequence(const Tensor& positions) const;

  std::string name_;
  Reduction reduction_;
  std::int64_t fallen_away_ = 0;
  Tensor sample_weight_;  // as it was given
  Tensor all_;            // f64 zeros, at the positions as they were before some were left out
  Tensor each_;           // f64, of the positions that are kept; undefined: all 1
  Mask some_;             // of those; none where no weight is 0 or masked
};

/// What a loss reads of its call.
struct Read {
  Tensor target, prediction;
  Weights weights;

  /// Weights of classes too; what has the weight 0 is left out.
  void times(const Tensor& of_classes);
};

Read read(const Of& of, const Pair& pair, int axes, const LossOptions& options);
/// What is read of a pair, whose positions are its first `axes` axes. MaskError where positions
/// fall away with .strict_lengths.
template <class Options>
Read read(const Of& of, const Pair& pair, int axes, const Options& options) {
  LossOptions own{.reduction = options.reduction, .sample_weight = options.sample_weight};
  if constexpr (requires { options.strict_lengths; }) own.strict_lengths = options.strict_lengths;
  return read(of, pair, axes, own);
}

/// Of losses whose positions are rows or, under a mask over features, values. Throws: as alike.
template <class Options>
Read read_values(std::string_view name, const Tensor& target, const Tensor& prediction,
                 const Options& options) {
  const Pair pair = alike(name, target, prediction);
  return read({name, target, prediction}, pair, position_axes(pair.prediction), options);
}
/// Of losses whose positions are rows. Throws: as whole_rows.
template <class Options>
Read read_rows(std::string_view name, const Tensor& target, const Tensor& prediction,
               const Options& options) {
  const Pair pair = whole_rows(name, target, prediction);
  return read({name, target, prediction}, pair, prediction.rank() - 1, options);
}

/// The loss of what was read by read_values: at each position the mean over features of `values(t,
/// p)`, which is made of operations; `kernel` makes the same of rows.
template <class Kernel, class Values>
Loss mean_over_features(std::string_view name, const Read& in, const Kernel& kernel,
                        const Values& values) {
  if (position_axes(in.prediction) == in.prediction.rank()) {
    return in.weights.loss(values(in.target, in.prediction));
  }
  return in.weights.loss(row_loss::of_rows(
      name, in.target, in.prediction, kernel,
      [values](const Tensor& t, const Tensor& p) { return at_positions(values(t, p)); }));
}

}  // namespace maskgrad::losses
