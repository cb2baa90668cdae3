#pragma once

#include <maskgrad/autograd/ops/loss/crf.hpp>

namespace maskgrad {

struct CRFDecodeResult {
  Tensor tags;    ///< i64, the best sequence of tags first
  Tensor scores;  ///< in the type of the potentials; e^(score - the log sum over all) is a share
};

/// The n sequences of tags of the greatest scores (list Viterbi), best first, and these scores, as
/// crf_negative_log_likelihood has them. The first is that of crf_decode; of equal ones the one
/// with the lower last tag comes first, then by the tags before it.
/// Shapes:   potentials [batch, time, tags], transitions [tags, tags] -> tags [batch, n, time],
///           scores [batch, n].
/// Mask:     supports: tags stand at the valid steps. Where there are fewer than n sequences that
///           are not forbidden by -infinity, the rest is masked, in the scores too; of no step
///           there is none. Masks that would be all true are dropped. No gradient.
/// Throws:   as crf_decode; OptionError for n below 1.
/// Source:   Seshadri and Sundberg 1994.
/// Example:  mg::crf_decode_best(x, mg::zeros({3, 3}), 2).tags;  // i64 [4, 2, 5]
CRFDecodeResult crf_decode_best(const Tensor& potentials, const Tensor& transitions,
                                std::int64_t n);

}  // namespace maskgrad
