#include <fmt/format.h>

#include <algorithm>

#include <maskgrad/autograd/ops.hpp>
#include <maskgrad/layers/keras/operations.hpp>
#include <maskgrad/layers/keras/rules.hpp>
#include <maskgrad/layers/registry/factory.hpp>

// Functions of Keras 3's ops that stand in a graph, as layers.

namespace maskgrad::detail {
namespace {

using OfTwo = Tensor (*)(const Tensor&, const Tensor&);
using OfNumber = Tensor (*)(const Tensor&, double);
using OfOne = Tensor (*)(const Tensor&);

struct PairwiseOperation {
  std::string_view keras;
  OfTwo two;
  OfNumber number;
};
constexpr PairwiseOperation pairwise_operations[] = {
    {"Add", add, [](const Tensor& a, double b) { return a + b; }},
    {"Subtract", subtract, [](const Tensor& a, double b) { return a - b; }},
    {"Multiply", multiply, [](const Tensor& a, double b) { return a * b; }},
    {"Divide", divide, [](const Tensor& a, double b) { return a / b; }},
    {"TrueDivide", divide, [](const Tensor& a, double b) { return a / b; }},
    {"Power", power, power},
    {"Maximum", maximum, maximum},
    {"Minimum", minimum, minimum},
    {"NotEqual", not_equal, not_equal},
    {"Equal", equal, equal},
    {"Greater", greater, greater},
    {"GreaterEqual", greater_equal, greater_equal},
    {"Less", less, less},
    {"LessEqual", less_equal, less_equal},
    {"LogicalAnd", logical_and, nullptr},
    {"LogicalOr", logical_or, nullptr},
    {"FloorDivide", floor_divide, floor_divide},
    {"Mod", remainder, remainder},
};

struct SingleOperation {
  std::string_view keras;
  OfOne one;
};
constexpr SingleOperation single_operations[] = {
    {"Abs", abs},
    {"Absolute", abs},
    {"Exp", exp},
    {"Log", log},
    {"Log1p", log1p},
    {"Log2", log2},
    {"Log10", log10},
    {"Expm1", expm1},
    {"Floor", floor},
    {"Ceil", ceil},
    {"Round", round},
    {"Tan", tan},
    {"Sqrt", sqrt},
    {"Square", square},
    {"Sin", sin},
    {"Cos", cos},
    {"Tanh", tanh},
    {"Sigmoid", sigmoid},
    {"Relu", relu},
    {"Relu6", relu6},
    {"Silu", silu},
    {"Softplus", softplus},
    {"Softsign", softsign},
    {"Selu", selu},
    {"HardSigmoid", hard_sigmoid},
    {"HardSilu", hard_silu},
    {"HardTanh", hard_tanh},
    {"Mish", mish},
    {"Elu", elu},
    {"ZerosLike", [](const Tensor& x) { return zeros_like(x); }},
    {"OnesLike", [](const Tensor& x) { return ones_like(x); }},
    {"Negative", [](const Tensor& x) { return -x; }},
    {"LogicalNot", logical_not},
    {"Isnan", isnan},
    {"LogSigmoid", log_sigmoid},
    {"Reciprocal", reciprocal},
    {"Rsqrt", rsqrt},
    {"Sign", sign},
    {"Erf", erf},
    {"StopGradient", stop_gradient},
    {"Copy", linear},
};

using OfAxes = Tensor (*)(const Tensor&, const Axes&, bool);
struct ReducingOperation {
  std::string_view keras;
  OfAxes reduce;
};
constexpr ReducingOperation reductions_of[] = {
    {"Sum", sum},
    {"Mean", mean},
    {"Max", max},
    {"Min", min},
    {"Amax", max},
    {"Amin", min},
    {"Prod", product},
    {"LogSumExp", logsumexp},
    {"Any", any_true},
    {"All", all_true},
    {"Var", [](const Tensor& x, const Axes& axes, bool keep) { return variance(x, axes, keep); }},
    {"Std",
     [](const Tensor& x, const Axes& axes, bool keep) { return std_deviation(x, axes, keep); }},
};

std::optional<AnyLayer> make_pairwise(const KerasStep& step, const std::string& name) {
  const auto row =
      std::ranges::find(pairwise_operations, step.layer->class_name, &PairwiseOperation::keras);
  if (row == std::end(pairwise_operations) || step.arguments.size() < 2) return {};
  const auto &a = step.arguments[0], &b = step.arguments[1];
  if (a.values.size() == 1 && b.values.size() == 1) {
    constexpr std::string_view layers[] = {"Add", "Subtract", "Multiply", "Maximum", "Minimum"};
    if (std::ranges::find(layers, row->keras) != std::end(layers)) {
      return make_layer(row->keras, json_text(Json{{"name", keras_path_name(name)}}));
    }
    return op_lambda(
        name, [f = row->two](const Tensors& x) { return f(x.at(0), x.at(1)); }, op_by_value);
  }
  if (!row->number) return {};
  if (a.values.size() == 1 && b.constant.is_number()) {
    const double number = b.constant.get<double>();
    return op_lambda(
        name, [f = row->number, number](const Tensor& x) { return f(x, number); }, op_by_value);
  }
  if (b.values.size() == 1 && a.constant.is_number()) {
    const double number = a.constant.get<double>();
    return op_lambda(
        name,
        [f = row->two, number](const Tensor& x) { return f(full(Shape{}, number, x.dtype()), x); },
        op_by_value);
  }
  return {};
}

std::optional<AnyLayer> make_reduction(const KerasStep& step, const std::string& name) {
  const auto row =
      std::ranges::find(reductions_of, step.layer->class_name, &ReducingOperation::keras);
  if (row == std::end(reductions_of)) return {};
  const auto axes = op_axes(op_option(step, "axis", 1));
  if (axes.empty()) return {};  // over the batch too
  const Json keep = op_option(step, "keepdims", 2);
  const bool keepdims = keep.is_boolean() && keep.get<bool>();
  const auto steps = keras_traits(*step.layer, 3, any).steps;
  return op_lambda(
      name,
      [f = row->reduce, axes, keepdims](const Tensor& x) { return f(x, Axes(axes), keepdims); },
      steps == KerasSteps::ends ? op_over_steps : op_inside_steps);
}

// Functions with numbers of their own.
std::optional<AnyLayer> make_bent(const KerasStep& step, const std::string& name) {
  const auto& kind = step.layer->class_name;
  const auto number = [&](const char* keras, const char* tensorflow, std::size_t position) {
    Json found = op_option(step, keras, position);
    if (found.is_null()) found = op_option(step, tensorflow, position);
    return found.is_number() ? std::optional(found.get<double>()) : std::nullopt;
  };
  if (kind == "Clip") {
    const auto low = number("x_min", "clip_value_min", 1),
               high = number("x_max", "clip_value_max", 2);
    if (!low || !high) return {};
    return op_lambda(
        name, [a = *low, b = *high](const Tensor& x) { return clip(x, a, b); }, op_by_value);
  }
  if (kind == "LeakyRelu") {
    const double slope = number("negative_slope", "alpha", 1).value_or(0.2);
    return op_lambda(
        name, [slope](const Tensor& x) { return leaky_relu(x, slope); }, op_by_value);
  }
  if (kind == "Gelu") {
    const Json given = op_option(step, "approximate", 1);
    const bool keras = step.layer->shown_class.empty();  // TensorFlow's is exact unless told
    const bool tanh = given.is_boolean() ? given.get<bool>() : keras;
    return op_lambda(
        name, [tanh](const Tensor& x) { return gelu(x, tanh); }, op_by_value);
  }
  return {};
}

}  // namespace

std::optional<AnyLayer> make_keras_operation(const KerasStep& step, KerasMaking& making) {
  const auto& layer = *step.layer;
  const std::string& name = layer.name;
  try {
    if (auto made = make_pairwise(step, name)) return made;
    if (auto made = make_reduction(step, name)) return made;
    if (auto made = make_bent(step, name)) return made;
    if (auto made = make_keras_shaping(step, making)) return made;
    const auto row =
        std::ranges::find(single_operations, layer.class_name, &SingleOperation::keras);
    if (row != std::end(single_operations))
      return op_lambda(
          name, [f = row->one](const Tensor& x) { return f(x); }, op_by_value);
  } catch (const Error& error) {
    making.troubles.push_back(fmt::format("{} '{}': {}", layer.class_name, name, error.what()));
    return {};
  }
  if (const auto* factory = told_of(layer, making.options)) {
    return under_name((*factory)({layer.class_name, name, json_text(layer.config)}), name);
  }
  making.troubles.push_back(
      fmt::format("{} '{}': no such function of keras.ops is known here; tell what it is: "
                  "load_keras(file, {{.custom = {{{{\"{}\", factory}}}}}})",
                  layer.class_name, name, name));
  return {};
}

}  // namespace maskgrad::detail
