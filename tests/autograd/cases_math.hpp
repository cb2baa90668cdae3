#pragma once

#include "op_cases.hpp"

namespace maskgrad::tests {

/// Reductions, and operations along an axis; part of math_cases.
std::vector<OpCase> reduction_cases();

}  // namespace maskgrad::tests
