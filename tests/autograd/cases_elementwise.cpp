#include <maskgrad/autograd/ops/elementwise/activations.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/cast.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>

#include "cases_elementwise.hpp"

namespace maskgrad::tests {
namespace in_cases_elementwise {

using Inputs = std::vector<Tensor>;
using Unary = Tensor (*)(const Tensor&);
using enum InputKind;

constexpr MaskContract inside_a_row{.role = MaskRole::propagates, .why = "works value by value"};

constexpr UnaryRow functions[] = {
    {"abs", abs, Draw::away_from_zero},
    {"sign", sign, Draw::away_from_zero},
    {"square", square},
    {"sqrt", sqrt, Draw::positive},
    {"rsqrt", rsqrt, Draw::positive},
    {"reciprocal", reciprocal, Draw::away_from_zero},
    {"exp", exp},
    {"exp2", exp2},
    {"expm1", expm1},
    {"log", log, Draw::positive},
    {"log1p", log1p, Draw::unit},
    {"log2", log2, Draw::positive},
    {"log10", log10, Draw::positive},
    {"sin", sin},
    {"cos", cos},
    {"tan", tan, Draw::unit},
    {"asin", asin, Draw::unit},
    {"acos", acos, Draw::unit},
    {"atan", atan},
    {"sinh", sinh},
    {"cosh", cosh},
    {"tanh", tanh},
    {"asinh", asinh},
    {"atanh", atanh, Draw::unit},
    {"erf", erf},
    {"floor", floor},
    {"ceil", ceil},
    {"round", round},
    {"trunc", trunc},
    {"relu", relu, Draw::away_from_zero},
    {"relu6", relu6, Draw::away_from_zero},
    {"leaky_relu", leaky_relu, Draw::away_from_zero},
    {"elu", elu, Draw::away_from_zero},
    {"selu", selu, Draw::away_from_zero},
    {"celu", celu, Draw::away_from_zero},
    {"gelu", gelu},
    {"silu", silu},
    {"mish", mish},
    {"sigmoid", sigmoid},
    {"log_sigmoid", log_sigmoid},
    {"hard_sigmoid", hard_sigmoid},
    {"hard_silu", hard_silu},
    {"hard_tanh", hard_tanh},
    {"hard_shrink", hard_shrink},
    {"soft_shrink", soft_shrink},
    {"tanh_shrink", tanh_shrink},
    {"squareplus", squareplus},
    {"sparse_plus", sparse_plus},
    {"softplus", softplus},
    {"softsign", softsign},
    {"exponential", exponential},
    {"linear", linear},
};

constexpr UnaryRow predicates[] = {
    {"isnan", isnan},
    {"isinf", isinf},
    {"isfinite", isfinite},
    {"logical_not", logical_not, Draw::truth},
};

OpCase one(const UnaryRow& row, const char* variant = "") {
  return {.op = row.op,
          .variant = variant,
          .f = row.f,
          .inputs = {{{3}, sequences, row.how}},
          .contract = inside_a_row};
}

void add_options(std::vector<OpCase>& cases) {
  const auto put = [&](const char* op, const char* variant, Unary f, Draw how = Draw::normal) {
    cases.push_back(one({op, f, how}, variant));
  };
  put("clip", "to -0.4, 0.6", [](const Tensor& x) { return clip(x, -0.4, 0.6); });
  put(
      "relu", "all options",
      [](const Tensor& x) {
        return relu(x, {.negative_slope = 0.1, .max_value = 0.9, .threshold = -0.1});
      },
      Draw::away_from_zero);
  put(
      "leaky_relu", "slope 0.3", [](const Tensor& x) { return leaky_relu(x, 0.3); },
      Draw::away_from_zero);
  put(
      "elu", "alpha 1.3", [](const Tensor& x) { return elu(x, 1.3); }, Draw::away_from_zero);
  put(
      "celu", "alpha 1.3", [](const Tensor& x) { return celu(x, 1.3); }, Draw::away_from_zero);
  put("hard_shrink", "threshold 0.8", [](const Tensor& x) { return hard_shrink(x, 0.8); });
  put("soft_shrink", "threshold 0.8", [](const Tensor& x) { return soft_shrink(x, 0.8); });
  put("squareplus", "b 0.3", [](const Tensor& x) { return squareplus(x, 0.3); });
  put(
      "acosh", "of 1 + x", [](const Tensor& x) { return acosh(1 + x); }, Draw::positive);
  put("gelu", "approximate", [](const Tensor& x) { return gelu(x, true); });
}

void add_logic(std::vector<OpCase>& cases, const char* op,
               Tensor (*f)(const Tensor&, const Tensor&)) {
  const auto put = [&](const char* variant, CaseInput second) {
    cases.push_back({.op = op,
                     .variant = variant,
                     .f = [f](const Inputs& x) { return f(x[0], x[1]); },
                     .inputs = {{{3}, sequences, Draw::truth}, std::move(second)},
                     .contract = inside_a_row,
                     .gradient = false});
  };
  put("both masked", {{3}, sequences, Draw::truth});
  put("with a row", {{3}, shared, Draw::truth});
}

}  // namespace in_cases_elementwise

std::span<const UnaryRow> unary_rows() {
  using namespace in_cases_elementwise;
  return functions;
}
std::span<const UnaryRow> predicate_rows() {
  using namespace in_cases_elementwise;
  return predicates;
}

std::vector<OpCase> elementwise_cases() {
  using namespace in_cases_elementwise;
  std::vector<OpCase> cases;
  for (const auto& row : functions) cases.push_back(one(row));
  add_options(cases);
  for (const auto& row : predicates) {
    cases.push_back(one(row));
    cases.back().gradient = false;
  }
  add_logic(cases, "logical_and", logical_and);
  add_logic(cases, "logical_or", logical_or);
  add_logic(cases, "logical_xor", logical_xor);
  cases.push_back({.op = "cast",
                   .variant = "to f32",
                   .f = [](const Tensor& x) { return cast(x, DType::f32); },
                   .inputs = {{{3}}},
                   .contract = inside_a_row,
                   .gradient = false});  // f32 is too coarse for differences
  cases.push_back({.op = "cast",
                   .variant = "of ids to f64",
                   .f = [](const Tensor& x) { return cast(x, DType::f64); },
                   .inputs = {{{3}, sequences, Draw::ids}},
                   .contract = inside_a_row,
                   .gradient = false});
  cases.push_back({.op = "cast",
                   .variant = "to i64",
                   .f = [](const Tensor& x) { return cast(x, DType::i64); },
                   .inputs = {{{3}}},
                   .contract = inside_a_row,
                   .gradient = false});
  for (auto& c : binary_cases()) cases.push_back(std::move(c));
  return cases;
}

}  // namespace maskgrad::tests
