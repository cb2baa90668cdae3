#pragma once

#include <span>

#include "op_cases.hpp"

namespace maskgrad::tests {

/// Operations on two and three tensors; part of elementwise_cases.
std::vector<OpCase> binary_cases();

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
