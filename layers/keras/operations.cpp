#include <fmt/format.h>

#include <algorithm>

#include <maskgrad/autograd/ops.hpp>
#include <maskgrad/layers/basic/lambda.hpp>
#include <maskgrad/layers/keras/item_pieces.hpp>
#include <maskgrad/layers/keras/make.hpp>
#include <maskgrad/layers/keras/rules.hpp>
#include <maskgrad/layers/pooling/edge_step.hpp>
#include <maskgrad/layers/registry/factory.hpp>

// Functions of Keras 3's ops that stand in a graph, as layers.

namespace maskgrad::detail {
namespace {

constexpr MaskContract op_by_value{.role = MaskRole::propagates,
                                   .why = "each value is mapped by itself"};
constexpr MaskContract op_over_steps{.role = MaskRole::consumes,
                                     .why = "reduces each sequence's valid steps"};
constexpr MaskContract op_inside_steps{.role = MaskRole::propagates,
                                       .why = "stays inside of each step"};
constexpr MaskContract op_by_position{.role = MaskRole::unsupported,
                                      .why = "it goes by the steps' positions",
                                      .ways_out = "x.drop_mask(\"why\")"};

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
    {"Sum", sum},      {"Mean", mean},    {"Max", max},      {"Min", min},
    {"Amax", max},     {"Amin", min},     {"Prod", product}, {"LogSumExp", logsumexp},
    {"Any", any_true}, {"All", all_true},
};

// An option of a function: in its own configuration, by keyword, or by position.
Json op_option(const KerasStep& step, const char* key, std::size_t position) {
  if (const Json* found = config_at(step.layer->config, key)) return *found;
  if (const auto* argument = step.keyword(key)) return argument->constant;
  std::size_t at = 0;
  for (const auto& argument : step.arguments) {
    if (!argument.keyword.empty() || at++ != position) continue;
    return argument.values.empty() ? argument.constant : Json();
  }
  return {};
}

std::vector<int> op_axes(const Json& json) {
  std::vector<int> axes;
  const auto add = [&](const Json& one) {
    const auto number = whole_number(one);
    if (number && *number > -16 && *number < 16) axes.push_back(static_cast<int>(*number));
  };
  if (json.is_array()) {
    for (const auto& one : json) add(one);
  } else {
    add(json);
  }
  return axes;
}

AnyLayer op_lambda(const std::string& name, Callable function, MaskContract contract) {
  return AnyLayer(Lambda(std::move(function), contract, {.name = keras_path_name(name)}));
}

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

std::optional<AnyLayer> make_item(const KerasStep& step, const std::string& name,
                                  const KerasMaking& making) {
  Json key = op_option(step, "key", 1);
  if (key.is_null()) key = op_option(step, "slice_spec", 1);
  const auto pieces = pieces_of(key);
  if (!pieces || pieces->empty() || !(*pieces)[0].whole()) return {};
  const bool last =
      pieces->size() >= 2 && (*pieces)[1].index == -1 &&
      std::all_of(pieces->begin() + 2, pieces->end(), [](const ItemPiece& p) { return p.whole(); });
  // The last step of each sequence, which is its last valid one.
  if (last && !making.options.as_keras) return AnyLayer(LastStep{{.name = keras_path_name(name)}});
  const bool steps = pieces->size() >= 2 && !(*pieces)[1].whole();
  return op_lambda(
      name, [p = *pieces](const Tensor& x) { return taken_item(x, p); },
      steps ? op_by_position : op_inside_steps);
}

std::optional<AnyLayer> make_shaping(const KerasStep& step, const std::string& name) {
  const auto& kind = step.layer->class_name;
  const auto axes = op_axes(op_option(step, "axis", 1));
  if (kind == "ExpandDims" && axes.size() == 1) {
    return op_lambda(
        name, [a = axes[0]](const Tensor& x) { return expand_dims(x, a); },
        axes[0] == 1 || axes[0] == 0 ? op_by_position : op_inside_steps);
  }
  if (kind == "Squeeze" && axes.size() == 1) {
    return op_lambda(
        name, [a = axes[0]](const Tensor& x) { return squeeze(x, a); },
        axes[0] == 1 ? op_by_position : op_inside_steps);
  }
  if (kind == "Concatenate") {
    return make_layer("Concatenate", json_text(Json{{"axis", axes.empty() ? -1 : axes[0]},
                                                    {"name", keras_path_name(name)}}));
  }
  if (kind == "Softmax" || kind == "LogSoftmax") {
    const int axis = axes.empty() ? -1 : axes[0];
    if (kind == "Softmax")
      return make_layer("Softmax",
                        json_text(Json{{"axis", axis}, {"name", keras_path_name(name)}}));
    return op_lambda(
        name, [axis](const Tensor& x) { return log_softmax(x, axis); },
        axis == -1 ? op_inside_steps : op_by_position);
  }
  if (kind == "Cast" || kind == "CastLike") return op_lambda(name, linear, op_by_value);
  if (kind == "Matmul" && step.inputs().size() == 2) {
    return op_lambda(
        name, [](const Tensors& x) { return batched_matmul(x.at(0), x.at(1)); }, op_by_position);
  }
  if (kind == "Transpose") {
    auto order = op_axes(op_option(step, "axes", 1));
    if (order.empty()) order = op_axes(op_option(step, "perm", 1));
    if (order.empty()) return {};
    return op_lambda(
        name, [order](const Tensor& x) { return permute(x, order); },
        order.size() > 2 && order[1] == 1 ? op_inside_steps : op_by_position);
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
    if (layer.class_name == "GetItem") {
      if (auto made = make_item(step, name, making)) return made;
    }
    if (auto made = make_shaping(step, name)) return made;
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
