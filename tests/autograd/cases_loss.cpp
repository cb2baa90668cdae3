#include <maskgrad/autograd/ops/binary_cross_entropy.hpp>

#include "op_cases.hpp"

namespace maskgrad::tests {
namespace {

using Inputs = std::vector<Tensor>;
using enum InputKind;

}  // namespace

std::vector<OpCase> loss_op_cases() {
  std::vector<OpCase> cases;
  cases.push_back({.op = "binary_cross_entropy",
                   .f = [](const Inputs& x) { return binary_cross_entropy(x[0], x[1]); },
                   .inputs = {{{3}, sequences, Draw::unit}, {{3}}},
                   .contract = {.role = MaskRole::propagates, .why = "one loss for each value"}});
  return cases;
}

}  // namespace maskgrad::tests
