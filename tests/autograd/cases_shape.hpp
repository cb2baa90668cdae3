#pragma once

#include "op_cases.hpp"

namespace maskgrad::tests {

/// Gather and scatter, sorting, steps as samples; part of shape_cases.
std::vector<OpCase> gather_cases();

}  // namespace maskgrad::tests
