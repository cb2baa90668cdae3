#include <maskgrad/autograd/ops/gather.hpp>
#include <maskgrad/autograd/ops/select_where.hpp>
#include <maskgrad/autograd/ops/sequence.hpp>
#include <maskgrad/autograd/ops/slice.hpp>

#include "op_cases.hpp"

namespace maskgrad::tests {
namespace {

using Inputs = std::vector<Tensor>;
using enum InputKind;
using enum MaskRole;

/// Inner axes only: a mask over every axis leaves none.
constexpr MaskContract inner_only{
    .role = propagates, .why = "works along an inner axis", .full_role = unsupported};
constexpr std::string_view positions = "it names positions, not valid steps";
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

void add_sequence(std::vector<OpCase>& cases) {
  constexpr MaskContract along{.role = supports, .why = "works along the valid steps"};
  constexpr MaskContract ends{
      .role = consumes, .why = "takes one valid step of each sequence", .sample_role = propagates};
  auto put = [&](const char* op, const char* variant, const Callable& f, const MaskContract& c,
                 const LawOptions& laws = {}) {
    cases.push_back(
        {.op = op, .variant = variant, .f = f, .inputs = {{{3}}}, .contract = c, .laws = laws});
  };
  put(
      "reverse", "steps", [](const Tensor& x) { return reverse(x); }, along);
  put(
      "reverse", "features", [](const Tensor& x) { return reverse(x, -1); }, along);
  put(
      "shift", "later", [](const Tensor& x) { return shift(x, 1, 0.5); }, along);
  put(
      "shift", "earlier", [](const Tensor& x) { return shift(x, -2); }, along);
  put(
      "shift", "beyond the end", [](const Tensor& x) { return shift(x, 9); }, along);
  put(
      "last_valid", "", [](const Tensor& x) { return last_valid(x); }, ends);
  put(
      "first_valid", "", [](const Tensor& x) { return first_valid(x); }, ends);
  const LawOptions short_alone{.not_alone = "alone, a step too many is an IndexError"};
  put(
      "take_step", "the second", [](const Tensor& x) { return take_step(x, 1); }, ends,
      short_alone);
  put(
      "take_step", "the last but one", [](const Tensor& x) { return take_step(x, -2); }, ends,
      short_alone);
}

void add_where(std::vector<OpCase>& cases) {
  const auto call = [](const Inputs& x) { return where(x[0], x[1], x[2]); };
  const MaskContract inside{.role = propagates, .why = "value by value"};
  auto put = [&](const char* variant, std::vector<CaseInput> inputs) {
    cases.push_back({.op = "where",
                     .variant = variant,
                     .f = call,
                     .inputs = std::move(inputs),
                     .contract = inside});
  };
  put("all masked", {{{3}, sequences, Draw::truth}, {{3}}, {{3}}});
  put("a condition without a mask", {{{3}, covered, Draw::truth}, {{3}}, {{3}, covered}});
  put("broadcast", {{{1}, sequences, Draw::truth}, {{3}, shared}, {{3}}});
  cases.push_back({.op = "or_else",
                   .variant = "one mask",
                   .f = [](const Inputs& x) { return or_else(x[0], x[1]); },
                   .inputs = {{{3}}, {{3}}},
                   .contract = inside});
  cases.push_back(
      {.op = "or_else",
       .variant = "steps that may be padding",
       .f = [](const Inputs& x) { return or_else(x[0], x[1]); },
       .inputs = {{{3}}, {{3}, dense}},
       .contract = {.role = consumes, .why = "fills what is not valid"},
       .laws = {.not_alone = "the result holds the second input's padding", .not_split = ""}});
  cases.push_back({.op = "or_else",
                   .variant = "a state",
                   .f = [](const Inputs& x) { return or_else(third(x[0]), x[1]); },
                   .inputs = {{{3}}, {{3}, samples}},
                   .contract = {.role = consumes, .why = "fills what is not valid"},
                   .laws = {.not_alone = positions}});
}

}  // namespace

std::vector<OpCase> position_cases() {
  std::vector<OpCase> cases;
  for (auto add : {add_gather, add_sequence, add_where}) add(cases);
  return cases;
}

}  // namespace maskgrad::tests
