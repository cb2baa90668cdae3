#include <maskgrad/autograd/ops/elementwise/activations.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/where.hpp>

#include "cases_elementwise.hpp"

namespace maskgrad::tests {
namespace in_cases_binary {

using Inputs = std::vector<Tensor>;
using enum InputKind;
using enum MaskRole;
using Binary = Tensor (*)(const Tensor&, const Tensor&);

constexpr MaskContract inside_a_row{.role = MaskRole::propagates, .why = "elementwise"};

/// One operation on two inputs: both masked, one without a mask, broadcast, with shared values.
void add_binary(std::vector<OpCase>& cases, const std::string& op, Binary f, Draw a, Draw b,
                bool gradient = true) {
  const auto call = [f](const Inputs& x) { return f(x[0], x[1]); };
  const auto flipped = [f](const Inputs& x) { return f(x[1], x[0]); };
  auto put = [&](const char* variant, const Callable& callable, std::vector<CaseInput> inputs) {
    cases.push_back({.op = op,
                     .variant = variant,
                     .f = callable,
                     .inputs = std::move(inputs),
                     .contract = inside_a_row,
                     .gradient = gradient});
  };
  put("both masked", call, {{{3}, sequences, a}, {{3}, sequences, b}});
  put("one without a mask", call, {{{3}, sequences, a}, {{3}, covered, b}});
  put("features by one", call, {{{3}, sequences, a}, {{1}, sequences, b}});
  put("with a row", call, {{{3}, sequences, a}, {{3}, shared, b}});
  put("a scalar first", flipped, {{{3}, sequences, b}, {{}, shared, a}});
  put("with a row for each step", call, {{{3}, sequences, a}, {{case_time, 3}, shared, b}});
  cases.back().laws.fixed_steps = "the shared input has a row for each step";
}

/// The overloads with a number.
void add_number(std::vector<OpCase>& cases, const std::string& op, const std::string& variant,
                Tensor (*f)(const Tensor&), Draw how = Draw::normal) {
  cases.push_back({.op = op,
                   .variant = variant,
                   .f = [f](const Inputs& x) { return f(x[0]); },
                   .inputs = {{{3}, InputKind::sequences, how}},
                   .contract = inside_a_row});
}

constexpr std::string_view positions = "it names positions, not valid steps";

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

}  // namespace in_cases_binary

std::vector<OpCase> binary_cases() {
  using namespace in_cases_binary;
  std::vector<OpCase> cases;
  add_binary(cases, "add", add, Draw::normal, Draw::normal);
  add_binary(cases, "subtract", subtract, Draw::normal, Draw::normal);
  add_binary(cases, "multiply", multiply, Draw::normal, Draw::normal);
  add_binary(cases, "divide", divide, Draw::normal, Draw::away_from_zero);
  add_binary(cases, "power", power, Draw::positive, Draw::normal);
  add_binary(cases, "maximum", maximum, Draw::normal, Draw::normal);
  add_binary(cases, "prelu", prelu, Draw::normal, Draw::normal);
  add_binary(cases, "minimum", minimum, Draw::normal, Draw::normal);
  add_binary(cases, "floor_divide", floor_divide, Draw::unit, Draw::positive);
  add_binary(cases, "remainder", remainder, Draw::unit, Draw::positive);
  add_binary(cases, "atan2", atan2, Draw::normal, Draw::away_from_zero);
  add_binary(cases, "logaddexp", logaddexp, Draw::normal, Draw::normal);
  add_binary(cases, "equal", equal, Draw::ids, Draw::ids, false);
  add_binary(cases, "not_equal", not_equal, Draw::normal, Draw::normal, false);
  add_binary(cases, "less", less, Draw::ids, Draw::ids, false);
  add_binary(cases, "less_equal", less_equal, Draw::normal, Draw::normal, false);
  add_binary(cases, "greater", greater, Draw::normal, Draw::normal, false);
  add_binary(cases, "greater_equal", greater_equal, Draw::normal, Draw::normal, false);
  add_number(cases, "add", "x + 2", [](const Tensor& x) { return x + 2; });
  add_number(cases, "add", "2 + x", [](const Tensor& x) { return 2 + x; });
  add_number(cases, "add", "x + x", [](const Tensor& x) { return x + x; });
  add_number(cases, "subtract", "x - 2", [](const Tensor& x) { return x - 2; });
  add_number(cases, "subtract", "2 - x", [](const Tensor& x) { return 2 - x; });
  add_number(cases, "multiply", "x * 3", [](const Tensor& x) { return x * 3; });
  add_number(cases, "multiply", "3 * x", [](const Tensor& x) { return 3 * x; });
  add_number(cases, "multiply", "-x", [](const Tensor& x) { return -x; });
  add_number(cases, "multiply", "x * x", [](const Tensor& x) { return x * x; });
  add_number(cases, "divide", "x / 3", [](const Tensor& x) { return x / 3; });
  add_number(
      cases, "divide", "3 / x", [](const Tensor& x) { return 3 / x; }, Draw::away_from_zero);
  add_number(
      cases, "divide", "x / x", [](const Tensor& x) { return x / x; }, Draw::away_from_zero);
  add_number(cases, "power", "x to the 3", [](const Tensor& x) { return power(x, 3); });
  add_number(cases, "maximum", "with 0.1", [](const Tensor& x) { return maximum(x, 0.1); });
  add_number(cases, "minimum", "with 0.1", [](const Tensor& x) { return minimum(x, 0.1); });
  add_number(cases, "remainder", "by 0.7", [](const Tensor& x) { return remainder(x, 0.7); });
  add_where(cases);
  return cases;
}

}  // namespace maskgrad::tests
