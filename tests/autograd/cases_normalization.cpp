#include <maskgrad/autograd/ops/normalization/normalize.hpp>

#include "op_cases.hpp"

namespace maskgrad::tests {
namespace in_cases_normalization {

using enum InputKind;
using enum MaskRole;

constexpr std::string_view statistics = "statistics over the batch";

void add_normalize(std::vector<OpCase>& cases) {
  const CaseInput one_each{.shape = {4}, .kind = InputKind::shared};
  constexpr MaskContract line{
      .role = propagates, .why = "lines by themselves", .full_role = MaskRole::unsupported};
  constexpr MaskContract many{
      .role = supports, .why = "statistics of valid rows", .full_role = MaskRole::unsupported};
  for (const bool center : {true, false}) {
    cases.push_back({.op = "layer_normalize",
                     .variant = center ? "" : "root mean square",
                     .f =
                         [center](const std::vector<Tensor>& x) {
                           return layer_normalize(x[0], 1e-3, {x[1], x[2]}, center);
                         },
                     .inputs = {{{4}}, one_each, one_each},
                     .contract = line});
  }
  cases.push_back({.op = "layer_normalize",
                   .variant = "no affine",
                   .f = [](const Tensor& x) { return layer_normalize(x, 1e-3); },
                   .inputs = {{{2, 4}}},
                   .contract = line});
  for (const double least : {1e-12, 2.0}) {
    cases.push_back({.op = "unit_normalize",
                     .variant = least < 1 ? "" : "some are shorter",
                     .f = [least](const Tensor& x) { return unit_normalize(x, least); },
                     .inputs = {{{4}}},
                     .contract = line});
  }
  cases.push_back({.op = "group_normalize",
                   .f =
                       [](const std::vector<Tensor>& x) {
                         return group_normalize(x[0], 2, 1e-3, {x[1], x[2]});
                       },
                   .inputs = {{{4}}, one_each, one_each},
                   .contract = many});
  cases.push_back({.op = "group_normalize",
                   .variant = "two inner axes",
                   .f = [](const Tensor& x) { return group_normalize(x, 1, 1e-3); },
                   .inputs = {{{2, 4}}},
                   .contract = many});
  cases.push_back({.op = "batch_normalize",
                   .f =
                       [](const std::vector<Tensor>& x) {
                         return batch_normalize(x[0], 1e-3, {x[1], x[2]}).y;
                       },
                   .inputs = {{{4}}, one_each, one_each},
                   .contract = many,
                   .laws = {.not_alone = statistics, .not_split = statistics}});
}

}  // namespace in_cases_normalization

std::vector<OpCase> normalization_cases() {
  using namespace in_cases_normalization;
  std::vector<OpCase> cases;
  add_normalize(cases);
  return cases;
}

}  // namespace maskgrad::tests
