#include <algorithm>

#include <maskgrad/autograd/ops.hpp>
#include <maskgrad/layers/keras/item_pieces.hpp>
#include <maskgrad/layers/keras/operations.hpp>
#include <maskgrad/layers/pooling/edge_step.hpp>
#include <maskgrad/layers/registry/factory.hpp>

namespace maskgrad::detail {

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

namespace {

std::optional<AnyLayer> make_item(const KerasStep& step, const std::string& name,
                                  const KerasMaking& making) {
  Json key = op_option(step, "key", 1);
  if (key.is_null()) key = op_option(step, "slice_spec", 1);
  const auto pieces = key.is_null() ? std::nullopt : pieces_of(key);
  if (!pieces || pieces->empty() || !(*pieces)[0].whole()) return {};
  if ((*pieces)[0].rest) {
    return op_lambda(
        name, [p = *pieces](const Tensor& x) { return taken_item(x, p); },
        pieces->size() > 2 ? op_by_position : op_inside_steps);
  }
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

std::optional<AnyLayer> make_joining(const KerasStep& step, const std::string& name) {
  const auto& kind = step.layer->class_name;
  const auto axes = op_axes(op_option(step, "axis", 1));
  if (kind == "Concatenate") {
    return make_layer("Concatenate", json_text(Json{{"axis", axes.empty() ? -1 : axes[0]},
                                                    {"name", keras_path_name(name)}}));
  }
  if (kind == "Stack" && !step.inputs().empty()) {
    return op_lambda(
        name, [a = axes.empty() ? 0 : axes[0]](const Tensors& x) { return stack(x, a); },
        axes.empty() || axes[0] == 0 || axes[0] == 1 ? op_by_position : op_inside_steps);
  }
  if (kind == "Flip" && axes.size() == 1) {
    return op_lambda(
        name, [a = axes[0]](const Tensor& x) { return reverse(x, a); },
        axes[0] == 1 ? op_by_position : op_inside_steps);
  }
  if (kind != "Reshape") return {};
  Json shape = op_option(step, "newshape", 1);
  if (shape.is_null()) shape = op_option(step, "shape", 1);
  auto sizes = config_sizes(shape, any);
  if (!sizes || sizes->empty()) return {};
  return op_lambda(
      name,
      [to = *sizes](const Tensor& x) {
        auto now = to;
        if (now[0] == any) now[0] = x.shape()[0];
        return reshape(x, Shape{std::span<const std::int64_t>(now)});
      },
      op_by_position);
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

std::optional<AnyLayer> make_keras_shaping(const KerasStep& step, const KerasMaking& making) {
  const std::string& name = step.layer->name;
  if (step.layer->class_name == "GetItem") {
    if (auto made = make_item(step, name, making)) return made;
  }
  if (auto made = make_joining(step, name)) return made;
  return make_shaping(step, name);
}

}  // namespace maskgrad::detail
