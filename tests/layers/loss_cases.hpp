#pragma once

#include <vector>

#include "autograd/op_cases.hpp"

namespace maskgrad::tests {

/// Rows for each loss and each set of options that changes what it does: its positions, and its
/// sums under `sum` and `per_sequence`. `op` is the loss's name. A loss without a row fails the
/// suite.
std::vector<OpCase> loss_cases();

}  // namespace maskgrad::tests
