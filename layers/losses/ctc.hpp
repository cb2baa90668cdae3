#pragma once

#include <maskgrad/layers/losses/loss.hpp>

namespace maskgrad {

struct CTCOptions {
  bool from_logits = true;  ///< false is refused: logits lose no digits
  std::int64_t blank_index = 0;
  /// A sequence with fewer valid steps than its labels take has no loss: false refuses it, true
  /// leaves it out, as if it were masked.
  bool skip_infeasible = false;
  Reduction reduction = Reduction::mean;
  Tensor sample_weight = {};

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("from_logits", o.from_logits);
    f("blank_index", o.blank_index);
    f("skip_infeasible", o.skip_infeasible);
    f("reduction", o.reduction);
  }
};

/// Connectionist temporal classification, from logits; a sequence is one position.
/// Shapes:   labels [batch, label] i64, logits [batch, time, classes]; positions [batch].
/// Mask:     consumes; labels and steps are the valid ones of each sequence, in order. A sequence
///           without a step does not count. mean and per_sequence are both over the sequences.
/// Gradient: of the reported value, to the logits.
/// Throws:   ShapeError, also for a sequence that cannot have its labels; TypeError, MaskError;
///           OptionError; IndexError for a label that is no class, or the blank.
/// Source:   Graves et al. 2006; Keras 3, CTC, which gives a large number for an infeasible
///           sequence, as PyTorch gives infinity.
/// Example:  const auto words = mg::from_sequences<std::int64_t>({{1, 2}, {2}, {1}, {2, 1}});
///           mg::ctc(words, model(x), {.skip_infeasible = true}).backward();
Loss ctc(const Tensor& labels, const Tensor& logits, const CTCOptions& options = {});

}  // namespace maskgrad
