#include <maskgrad/autograd/ops/activations.hpp>
#include <maskgrad/autograd/ops/arithmetic.hpp>

#include "op_cases.hpp"

namespace maskgrad::tests {
namespace {

using Inputs = std::vector<Tensor>;
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
  using enum InputKind;
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

}  // namespace

std::vector<OpCase> arithmetic_cases() {
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
  return cases;
}

}  // namespace maskgrad::tests
