#include <maskgrad/layers/keras/options.hpp>

#include <algorithm>

#include <maskgrad/layers/keras/option_table.hpp>

namespace maskgrad::detail {
namespace {

// Keras 1's one class for all merging.
std::optional<OwnLayer> own_merge(const Json& config) {
  const std::string mode = config_text(config, "mode");
  constexpr std::pair<std::string_view, std::string_view> modes[] = {
      {"sum", "Add"}, {"mul", "Multiply"}, {"ave", "Average"}, {"max", "Maximum"}};
  for (const auto& [from, to] : modes) {
    if (mode == from) return OwnLayer{std::string(to), Json::object()};
  }
  if (mode == "concat") {
    return OwnLayer{"Concatenate", {{"axis", config_whole(config, "concat_axis").value_or(-1)}}};
  }
  if (mode == "dot" || mode == "cos") {
    OwnLayer made{"Dot", {{"axes", Json::array({-1, -1})}, {"normalize", mode == "cos"}}};
    if (const Json* axes = config_at(config, "dot_axes")) made.options["axes"] = *axes;
    return made;
  }
  return {};
}

// An option in the spelling of this library; none where it is left to its default.
std::optional<Json> keras_option(const Json& config, const std::string& from, char how, int major,
                                 std::optional<OwnLayer>& activation) {
  if (how == '!') {
    if (!config_at(config, from)) return {};
    return Json(own_activation(config, from.c_str(), major, activation));
  }
  const Json* value = config_at(config, from);
  if (!value) return {};
  if (how != '#') return *value;
  const auto number = whole_number(*value);
  return number ? Json(*number) : *value;  // a value that does not fit is refused by the layer
}

void fill_options(OwnLayer& own, const KerasLayer& layer, const char* options, int major,
                  std::optional<OwnLayer>& activation) {
  for (const auto& word : option_words(options)) {
    if (auto value = keras_option(layer.config, word.keras, word.how, major, activation)) {
      own.options[word.own] = std::move(*value);
    }
  }
}

// Features of a convolution whose groups they are, by the shape of its weights.
std::optional<std::int64_t> depthwise_features(const KerasLayer& layer, const KerasMaking& making) {
  const auto* found = making.weights.find(layer);
  if (!found || found->empty() || (*found)[0]->shape.size() != 3) return {};
  const auto features = (*found)[0]->shape[1];
  return features > 0 && features < 1'000'000 ? std::optional(features) : std::nullopt;
}

// Depthwise convolutions as grouped ones, which take a mask.
void depthwise_as_groups(OwnLayer& own, std::int64_t features) {
  const auto multiplier = config_whole(own.options, "depth_multiplier").value_or(1);
  own.kind = "MaskedConv1D";
  own.options.erase("depth_multiplier");
  own.options["groups"] = features;
  own.options["filters"] = features * multiplier;
}
OwnLayer separable_as_groups(const OwnLayer& own, std::int64_t features) {
  OwnLayer first = own, second{"MaskedConv1D", {{"kernel_size", 1}}};
  depthwise_as_groups(first, features);
  first.options.erase("activation");
  first.options["use_bias"] = false;
  for (const char* key : {"filters", "activation", "use_bias"}) {
    if (own.options.contains(key)) second.options[key] = own.options[key];
  }
  first.options["name"] = "depthwise";
  second.options["name"] = "pointwise";
  return {"Sequential", {{"layers", Json::array({first.description(), second.description()})}}};
}

}  // namespace

std::string own_activation(const Json& config, const char* key, int major,
                           std::optional<OwnLayer>& made) {
  const Json* value = config_at(config, key);
  std::string name;
  if (value && value->is_object()) {
    const Json* inner = config_at(*value, "config");
    if (inner && inner->is_string()) {
      name = inner->get<std::string>();  // {"class_name": "function", "config": "relu"}
    } else {
      const std::string kind = config_text(*value, "class_name");
      constexpr std::string_view layers[] = {"ReLU", "LeakyReLU", "ELU", "Softmax"};
      if (inner && std::ranges::find(layers, kind) != std::end(layers)) {
        const auto row = std::ranges::find(option_table(), kind, &OptionRow::keras);
        OwnLayer layer{std::string(row->own), Json::object()};
        KerasLayer described{kind, "", *inner};
        std::optional<OwnLayer> none;
        fill_options(layer, described, row->options, major, none);
        made = std::move(layer);
        return "linear";
      }
      name = kind;
    }
  } else if (value && value->is_string()) {
    name = value->get<std::string>();
  }
  if (const auto at = name.rfind('>'); at != std::string::npos) name = name.substr(at + 1);
  if (name.empty()) return "linear";
  if (name == "hard_sigmoid" && major < 3) return "keras2_hard_sigmoid";
  if (name == "softmax_v2") return "softmax";
  if (name == "swish") return "silu";
  if (name == "leakyrelu") return "leaky_relu";
  return name;
}

std::optional<OwnLayer> own_layer_of(const KerasLayer& layer, const KerasMaking& making,
                                     std::optional<OwnLayer>& activation) {
  if (layer.class_name == "Merge") return own_merge(layer.config);
  const auto row = std::ranges::find(option_table(), layer.class_name, &OptionRow::keras);
  if (row == option_table().end()) return {};
  OwnLayer own{std::string(row->own), Json::object()};
  fill_options(own, layer, row->options, making.major, activation);
  const bool gru = own.kind == "GRU" || own.kind == "GRUCell";
  if (gru) {
    const bool cudnn = layer.class_name == "CuDNNGRU";
    const auto units = config_whole(own.options, "units").value_or(0);
    const bool given = config_at(layer.config, "reset_after") != nullptr;
    own.options["reset_after"] = cudnn || (given ? config_flag(layer.config, "reset_after")
                                                 : making.weights.two_biases(layer, units));
  }
  if (layer.class_name == "MultiHeadAttention" && own.options.contains("output_shape") &&
      !own.options["output_shape"].is_number()) {
    return {};
  }
  const bool depthwise = layer.class_name == "DepthwiseConv1D";
  if (depthwise || layer.class_name == "SeparableConv1D") {
    const auto features = depthwise_features(layer, making);
    if (features && depthwise) depthwise_as_groups(own, *features);
    if (features && !depthwise) own = separable_as_groups(own, *features);
  }
  return own;
}

}  // namespace maskgrad::detail
