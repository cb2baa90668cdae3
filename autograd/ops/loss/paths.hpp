#pragma once

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/plans/sequences.hpp>

/// Sums over paths made step by step of other operations: what the second derivatives of crf and
/// ctc are made of. A value for each sample, there or not.
namespace maskgrad::sequence_dp {

/// As crf_negative_log_likelihood: `ids` [batch, time] under the mask of `x`.
Tensor crf_by_steps(const Sequences& steps, const Tensor& ids, const Tensor& x,
                    const Tensor& transitions);
/// As ctc_negative_log_likelihood.
Tensor ctc_by_steps(const Sequences& of_labels, const Sequences& of_steps, const Tensor& labels,
                    const Tensor& logits, std::int64_t blank);

}  // namespace maskgrad::sequence_dp
