#include <maskgrad/autograd/ops/linear/batched_matmul.hpp>
#include <maskgrad/autograd/ops/linear/einsum.hpp>
#include <maskgrad/autograd/ops/linear/matmul.hpp>

#include "op_cases.hpp"

namespace maskgrad::tests {
namespace in_cases_linear {

using Inputs = std::vector<Tensor>;
using enum InputKind;

constexpr MaskContract inside_a_row{.role = MaskRole::propagates,
                                    .why = "a product for each row",
                                    .full_role = MaskRole::unsupported};

}  // namespace in_cases_linear

std::vector<OpCase> linear_cases() {
  using namespace in_cases_linear;
  std::vector<OpCase> cases;
  cases.push_back({.op = "matmul",
                   .f = [](const Inputs& x) { return matmul(x[0], x[1]); },
                   .inputs = {{{3}}, {{3, 2}, shared}},
                   .contract = {.role = MaskRole::propagates,
                                .why = "rows by a matrix",
                                .full_role = MaskRole::unsupported}});
  cases.push_back({.op = "matmul",
                   .variant = "with a bias",
                   .f = [](const Inputs& x) { return matmul(x[0], x[1], x[2]); },
                   .inputs = {{{3}}, {{3, 2}, shared}, {{2}, shared}},
                   .contract = {.role = MaskRole::propagates,
                                .why = "rows by a matrix",
                                .full_role = MaskRole::unsupported}});
  cases.push_back({.op = "batched_matmul",
                   .f = [](const Inputs& x) { return batched_matmul(x[0], x[1]); },
                   .inputs = {{.shape = {2, 3}}, {.shape = {3, 2}}},
                   .contract = inside_a_row});
  cases.push_back({.op = "batched_matmul",
                   .variant = "both transposed, one shared",
                   .f = [](const Inputs& x) { return batched_matmul(x[0], x[1], true, true); },
                   .inputs = {{.shape = {3, 2}}, {.shape = {2, 3}, .kind = InputKind::shared}},
                   .contract = inside_a_row});
  cases.push_back({.op = "einsum",
                   .variant = "features by a matrix",
                   .f = [](const Inputs& x) { return einsum("bti,ij->btj", x); },
                   .inputs = {{.shape = {3}}, {.shape = {3, 2}, .kind = InputKind::shared}},
                   .contract = inside_a_row});
  cases.push_back({.op = "einsum",
                   .variant = "two of a row",
                   .f = [](const Inputs& x) { return einsum("btij,btkj->btik", x); },
                   .inputs = {{.shape = {2, 3}}, {.shape = {2, 3}}},
                   .contract = inside_a_row});
  cases.push_back({.op = "einsum",
                   .variant = "one of a row",
                   .f = [](const Inputs& x) { return einsum("btij->btj", x); },
                   .inputs = {{.shape = {2, 3}}},
                   .contract = inside_a_row});
  return cases;
}

}  // namespace maskgrad::tests
