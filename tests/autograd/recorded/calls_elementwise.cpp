#include <maskgrad/autograd/ops/elementwise/activations.hpp>
#include <maskgrad/autograd/ops/elementwise/arithmetic.hpp>
#include <maskgrad/autograd/ops/elementwise/cast.hpp>
#include <maskgrad/autograd/ops/elementwise/math.hpp>
#include <maskgrad/autograd/ops/mask/mask_ops.hpp>

#include "autograd/cases_elementwise.hpp"
#include "calls.hpp"

namespace maskgrad::tests {
namespace in_calls_elementwise {

using Inputs = std::vector<Tensor>;

struct Binary {
  const char* op;
  Tensor (*f)(const Tensor&, const Tensor&);
};
constexpr Binary binaries[] = {
    {"add", add},
    {"subtract", subtract},
    {"multiply", multiply},
    {"divide", divide},
    {"power", power},
    {"maximum", maximum},
    {"minimum", minimum},
    {"floor_divide", floor_divide},
    {"remainder", remainder},
    {"atan2", atan2},
    {"logaddexp", logaddexp},
    {"prelu", prelu},
    {"equal", equal},
    {"not_equal", not_equal},
    {"less", less},
    {"less_equal", less_equal},
    {"greater", greater},
    {"greater_equal", greater_equal},
    {"logical_and", logical_and},
    {"logical_or", logical_or},
    {"logical_xor", logical_xor},
};

const RecordedCall with_options[] = {
    {"add", "x + 2", [](const Tensor& x) { return x + 2; }},
    {"add", "2 + x", [](const Tensor& x) { return 2 + x; }},
    {"subtract", "x - 2", [](const Tensor& x) { return x - 2; }},
    {"subtract", "2 - x", [](const Tensor& x) { return 2 - x; }},
    {"multiply", "x * 3", [](const Tensor& x) { return x * 3; }},
    {"multiply", "3 * x", [](const Tensor& x) { return 3 * x; }},
    {"multiply", "-x", [](const Tensor& x) { return -x; }},
    {"divide", "x / 3", [](const Tensor& x) { return x / 3; }},
    {"divide", "3 / x", [](const Tensor& x) { return 3 / x; }},
    {"power", "x to the 2", [](const Tensor& x) { return power(x, 2); }},
    {"power", "x to the 3", [](const Tensor& x) { return power(x, 3); }},
    {"maximum", "with 0.5", [](const Tensor& x) { return maximum(x, 0.5); }},
    {"minimum", "with 0.5", [](const Tensor& x) { return minimum(x, 0.5); }},
    {"floor_divide", "by 0.75", [](const Tensor& x) { return floor_divide(x, 0.75); }},
    {"remainder", "by -0.75", [](const Tensor& x) { return remainder(x, -0.75); }},
    {"greater", "than 1", [](const Tensor& x) { return greater(x, 1); }},
    {"greater_equal", "1", [](const Tensor& x) { return greater_equal(x, 1); }},
    {"less", "than 1", [](const Tensor& x) { return less(x, 1); }},
    {"less_equal", "1", [](const Tensor& x) { return less_equal(x, 1); }},
    {"equal", "1", [](const Tensor& x) { return equal(x, 1); }},
    {"not_equal", "1", [](const Tensor& x) { return not_equal(x, 1); }},
    {"clip", "-1 to 2", [](const Tensor& x) { return clip(x, -1, 2); }},
    {"relu", "all options",
     [](const Tensor& x) {
       return relu(x, {.negative_slope = 0.25, .max_value = 2, .threshold = -0.5});
     }},
    {"leaky_relu", "0.3", [](const Tensor& x) { return leaky_relu(x, 0.3); }},
    {"elu", "1.3", [](const Tensor& x) { return elu(x, 1.3); }},
    {"celu", "2", [](const Tensor& x) { return celu(x, 2); }},
    {"hard_shrink", "1", [](const Tensor& x) { return hard_shrink(x, 1); }},
    {"soft_shrink", "0.75", [](const Tensor& x) { return soft_shrink(x, 0.75); }},
    {"squareplus", "0.3", [](const Tensor& x) { return squareplus(x, 0.3); }},
    {"gelu", "approximate", [](const Tensor& x) { return gelu(x, true); }},
    {"acosh", "", acosh},
    {"stop_gradient", "", stop_gradient},
    {"cast", "to f32", [](const Tensor& x) { return cast(x, DType::f32); }},
    {"cast", "to f64", [](const Tensor& x) { return cast(x, DType::f64); }},
    {"cast", "to i64", [](const Tensor& x) { return cast(x, DType::i64); }},
    {"cast", "to bool", [](const Tensor& x) { return cast(x, DType::boolean); }},
};

}  // namespace in_calls_elementwise

std::vector<RecordedCall> elementwise_calls() {
  using namespace in_calls_elementwise;
  std::vector<RecordedCall> calls(std::begin(with_options), std::end(with_options));
  for (const auto& rows : {unary_rows(), predicate_rows()}) {
    for (const auto& row : rows) calls.push_back({row.op, "", row.f});
  }
  for (const auto& [op, f] : binaries) {
    calls.push_back({op, "", [f = f](const Inputs& x) { return f(x[0], x[1]); }});
  }
  return calls;
}

}  // namespace maskgrad::tests
