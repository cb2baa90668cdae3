#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>

#include "op_cases.hpp"

namespace maskgrad::tests {
namespace in_cases_mask {

constexpr MaskContract inside_a_row{.role = MaskRole::propagates, .why = "works value by value"};

/// Steps with a value above 0.
Mask some_positive(const Tensor& x) {
  const Tensor data = drop_mask(stop_gradient(x), "a mask is made of it");
  return Mask::where_any_differs(maximum(data, 0), 0);
}

void add_masks(std::vector<OpCase>& cases) {
  cases.push_back({.op = "with_mask",
                   .variant = "a mask made of the values",
                   .f = [](const Tensor& x) { return with_mask(x, some_positive(x)); },
                   .inputs = {{{2}}},
                   .contract = {.role = MaskRole::produces, .why = "puts a mask on"}});
  cases.push_back({.op = "drop_mask",
                   .f = [](const Tensor& x) { return drop_mask(x, "a test of the fill", 7); },
                   .inputs = {{{3}}},
                   .contract = {.role = MaskRole::consumes, .why = "fills what the mask hid"},
                   .laws = {.not_alone = "the result holds the fill"}});
  cases.push_back({.op = "stop_gradient",
                   .f = [](const Tensor& x) { return stop_gradient(x); },
                   .inputs = {{{3}}},
                   .contract = inside_a_row,
                   .gradient = false});
}

}  // namespace in_cases_mask

std::vector<OpCase> mask_cases() {
  using namespace in_cases_mask;
  std::vector<OpCase> cases;
  add_masks(cases);
  return cases;
}

}  // namespace maskgrad::tests
