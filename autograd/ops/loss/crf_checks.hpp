#pragma once

#include <maskgrad/autograd/extend.hpp>
#include <maskgrad/autograd/plans/sequences.hpp>

/// What all that reads the scores of a crf refuses.
namespace maskgrad::sequence_dp {

/// Shapes, types and masks.
void check_chain(std::string_view where, const Tensor& x, const Tensor& transitions);
/// OptionError, with the place, where a score that a best path would be read from is NaN.
void check_scores(std::string_view where, const Tensor& x, const Tensor& transitions,
                  const Sequences& steps);

}  // namespace maskgrad::sequence_dp
