#pragma once

#include <span>

#include "op_cases.hpp"

namespace maskgrad::tests {

/// Reductions, and operations along an axis; part of math_cases.
std::vector<OpCase> reduction_cases();

/// A function of one tensor.
struct UnaryRow {
  const char* op;
  Tensor (*f)(const Tensor&);
  Draw how = Draw::normal;
};
/// Those without options.
std::span<const UnaryRow> unary_rows();
/// Those that give truth values.
std::span<const UnaryRow> predicate_rows();

}  // namespace maskgrad::tests
