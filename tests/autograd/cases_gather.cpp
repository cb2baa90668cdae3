#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/shape/gather.hpp>
#include <maskgrad/autograd/ops/shape/sort.hpp>
#include <maskgrad/autograd/ops/shape/steps.hpp>

#include "cases_shape.hpp"

namespace maskgrad::tests {
namespace in_cases_gather {

using Inputs = std::vector<Tensor>;
using enum InputKind;
using enum MaskRole;

constexpr MaskContract inside_a_row{.role = propagates, .why = "works value by value"};
/// Inner axes only: a mask over every axis leaves none.
constexpr MaskContract inner_only{
    .role = propagates, .why = "works along an inner axis", .full_role = unsupported};
constexpr std::string_view no_batch = "the result has no axis for the batch alone";

void add_gather(std::vector<OpCase>& cases) {
  cases.push_back({.op = "take",
                   .f = [](const Inputs& x) { return take(x[1], x[0]); },
                   .inputs = {{{2}, sequences, Draw::ids}, {{5, 3}, shared}},
                   .contract = {.role = propagates, .why = "each id names a row by itself"}});
  cases.push_back({.op = "take_along_axis",
                   .f = [](const Inputs& x) { return take_along_axis(x[0], x[1], 2); },
                   .inputs = {{{5, 2}}, {{3, 2}, sequences, Draw::ids}},
                   .contract = inner_only});
  cases.push_back({.op = "take_along_axis",
                   .variant = "an index without a mask",
                   .f = [](const Inputs& x) { return take_along_axis(x[0], x[1], -1); },
                   .inputs = {{{5}}, {{2}, covered, Draw::ids}},
                   .contract = inner_only});
  cases.push_back(
      {.op = "scatter_add",
       .f = [](const Inputs& x) { return scatter_add(x[0], x[1], x[2], 2); },
       .inputs = {{{5, 2}}, {{3, 2}, sequences, Draw::ids}, {{3, 2}, covered, Draw::normal}},
       .contract = inner_only});
  cases.push_back({.op = "add_at",
                   .f = [](const Inputs& x) { return add_at(x[2], x[0], x[1]); },
                   .inputs = {{{}, sequences, Draw::ids}, {{3}}, {{5, 3}, shared}},
                   .contract = {.role = consumes,
                                .why = "adds the valid rows to a table",
                                .full_role = unsupported},
                   .laws = {.batch_axis = -1,
                            .not_alone = no_batch,
                            .not_split = no_batch,
                            .empty_gradient = "the table itself is part of the result"}});
  cases.push_back({.op = "one_hot",
                   .f = [](const Tensor& x) { return one_hot(x, 5, DType::f64); },
                   .inputs = {{{2}, sequences, Draw::ids}},
                   .contract = {.role = propagates, .why = "each id by itself"},
                   .gradient = false});
}

void add_sorts(std::vector<OpCase>& cases) {
  const auto put = [&](const char* op, const char* variant, Callable f, bool gradient) {
    cases.push_back(
        {.op = op,
         .variant = variant,
         .f = std::move(f),
         .inputs = {{{4}, sequences, Draw::distinct}},
         .contract = {.role = propagates, .why = "sorts inside a row", .full_role = unsupported},
         .gradient = gradient});
  };
  put(
      "sort", "rising", [](const Tensor& x) { return sort(x); }, true);
  put(
      "sort", "falling", [](const Tensor& x) { return sort(x, true); }, true);
  put(
      "argsort", "", [](const Tensor& x) { return argsort(x); }, false);
  put(
      "top_k", "2 of 4",
      [](const Tensor& x) {
        const auto [values, indices] = top_k(x, 2);
        return std::vector<Tensor>{values, indices};
      },
      true);
}

void add_steps(std::vector<OpCase>& cases) {
  constexpr std::string_view merged = "the steps of all sequences are one axis";
  cases.push_back({.op = "steps_as_samples",
                   .f = [](const Tensor& x) { return steps_as_samples(x); },
                   .inputs = {{{3}}},
                   .contract = inside_a_row,
                   .laws = {.batch_axis = -1, .not_alone = merged, .not_split = merged}});
  cases.push_back({.op = "samples_as_steps",
                   .f =
                       [](const Tensor& x) {
                         const Tensor samples = steps_as_samples(x);
                         return samples_as_steps(square(samples), samples, x);
                       },
                   .inputs = {{{3}}},
                   .contract = inside_a_row});
}

}  // namespace in_cases_gather

std::vector<OpCase> gather_cases() {
  using namespace in_cases_gather;
  std::vector<OpCase> cases;
  add_gather(cases);
  add_sorts(cases);
  add_steps(cases);
  return cases;
}

}  // namespace maskgrad::tests
