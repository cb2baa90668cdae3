#pragma once

#include <vector>

#include <maskgrad/layers/layer/spec.hpp>
#include <maskgrad/layers/losses/loss.hpp>

#include "autograd/op_cases.hpp"

namespace maskgrad::tests {

/// Rows for each loss and each set of options that changes what it does: its positions, and its
/// sums under `sum` and `per_sequence`. `op` is the loss's name. A loss without a row fails the
/// suite.
std::vector<OpCase> loss_cases();
/// Those of them with weights of positions, sequences and classes, and those of the CRF's loss.
std::vector<OpCase> weighted_loss_cases();

/// The results of a row that is no `none`: the loss's sum, and what it is divided by.
Tensors sum_and_count(const Loss& loss);

}  // namespace maskgrad::tests
