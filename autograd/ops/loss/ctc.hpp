#pragma once

#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

/// What ctc does with a sequence that cannot have its labels, as it has fewer valid steps than they
/// take (one each, and one between equal neighbors), or as logits of -infinity forbid them: refuse
/// it, or leave it out of the result.
enum class Infeasible { refuse, skip };

/// Connectionist temporal classification: minus the log probability that the steps of a sequence,
/// once repeats are merged and blanks dropped, read as its labels.
/// Shapes:   labels [batch, label] i64, logits [batch, time, classes] -> [batch].
/// Mask:     consumes; labels and steps are the valid ones of each sequence, in order. A sequence
///           without a step has no loss: the result has a mask [batch], false there, which is
///           dropped where it would be all true.
/// Gradient: of the logits.
/// Throws:   ShapeError, also, naming the sequence, for one that is infeasible; TypeError;
///           MaskError (a mask over classes, or other axes); IndexError for a label that is no
///           class or the blank, OptionError for such a blank.
/// Source:   Graves et al. 2006.
/// Example:  const auto words = mg::from_sequences<std::int64_t>({{1, 2}, {2}, {1}, {2, 1}});
///           mg::ctc_negative_log_likelihood(words, model(x), 0);  // [4]
Tensor ctc_negative_log_likelihood(const Tensor& labels, const Tensor& logits, std::int64_t blank,
                                   Infeasible infeasible = Infeasible::refuse);

namespace detail {
/// The same, and how many sequences were left out as they are infeasible.
struct CTCLosses {
  Tensor y;
  std::int64_t skipped = 0;
};
CTCLosses ctc_losses(const Tensor& labels, const Tensor& logits, std::int64_t blank,
                     Infeasible infeasible);
}  // namespace detail

}  // namespace maskgrad
