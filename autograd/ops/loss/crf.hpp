#pragma once

#include <maskgrad/core/tensor.hpp>

namespace maskgrad {

// A linear-chain conditional random field. The score of tags t over a sequence's valid steps is the
// sum of potentials[k, t_k] + transitions[t_(k-1), t_k]; a hole is no gap.
// -infinity forbids a tag or a transition, whose gradient is then 0.
// Shapes:   tags [batch, time] i64, potentials [batch, time, tags], transitions [tags, tags].
// Throws:   ShapeError, TypeError; MaskError for a mask over tags; IndexError for a tag out of
//           range.
// Source:   Lafferty et al. 2001.

/// log(sum of exp(score) over all tags) - score of the tags -> [batch]; NaN, with its gradients,
/// where a score that is read is NaN or +infinity. OptionError for a sequence whose paths are all
/// forbidden.
/// Mask:     consumes; a step counts where tags and potentials are valid. A sequence without one
///           has no loss: the result has a mask [batch], dropped where it would be all true.
/// Gradient: of potentials and transitions.
/// Example:  mg::crf_negative_log_likelihood(labels, x, mg::zeros({3, 3}));  // [4]
Tensor crf_negative_log_likelihood(const Tensor& tags, const Tensor& potentials,
                                   const Tensor& transitions);

/// The tags of the greatest score (Viterbi), the first of equal ones -> [batch, time] i64.
/// Mask:     supports: read, and passed on. No gradient.
/// Throws:   as above; OptionError, with the place, for a score that is NaN.
/// Example:  mg::crf_decode(x, mg::zeros({3, 3}));  // i64 [4, 5] under x's mask
Tensor crf_decode(const Tensor& potentials, const Tensor& transitions);

}  // namespace maskgrad
