#include <fmt/format.h>

#include <maskgrad/layers/basic/time_distributed.hpp>
#include <maskgrad/layers/keras/saving.hpp>
#include <maskgrad/layers/recurrent/bidirectional.hpp>
#include <maskgrad/layers/recurrent/rnn.hpp>

// Layers with others in them, and models, in Keras's form.

namespace maskgrad::detail {
namespace {

/// The layers directly inside one, by the names that it has for them.
template <class L>
std::vector<std::pair<std::string, AnyLayer*>> inside_of(L& layer) {
  std::vector<std::pair<std::string, AnyLayer*>> made;
  ChildNames names;
  L::each_layer(layer, [&](std::string_view name, AnyLayer& inner) {
    made.emplace_back(names.next(name, inner), &inner);
  });
  return made;
}

}  // namespace

KerasItem KerasWriter::wrapping(AnyLayer& layer, const std::string& name, const Tensors& inputs,
                                Hdf5Group& group, const Json& options) {
  KerasItem made{std::string(layer.kind()), keras_base(name, inputs[0].dtype())};
  for (const auto& [option, value] : options.items()) {
    if (!value.is_structured() && option != "name" && option != "recompute") {
      made.config[option] = value;
    }
  }
  group.at("vars").texts["name"] = name;
  if (auto* both = layer.as_if<Bidirectional>()) {
    if (made.config["merge_mode"] == "none") made.config["merge_mode"] = Json();
    for (auto& [half, inner] : inside_of(*both)) {
      const auto as = half + "_layer";
      auto item = this->layer(*inner, half + "_" + snake_case(inner->kind()), inputs, group.at(as));
      made.config[half == "forward" ? "layer" : as] = item.item();
    }
  } else if (auto* rnn = layer.as_if<RNN>()) {
    auto inner = inside_of(*rnn).at(0).second;
    made.config["cell"] =
        this->layer(*inner, snake_case(inner->kind()), inputs, group.at("cell")).item();
  } else if (auto* cells = layer.as_if<StackedRNNCells>()) {
    made.config["cells"] = Json::array();
    KerasCounts counts;
    for (auto& [path, inner] : inside_of(*cells)) {
      auto& at = group.at("cells/" + counts.next(snake_case(inner->kind())));
      made.config["cells"].push_back(this->layer(*inner, path, inputs, at).item());
    }
  } else if (auto* timed = layer.as_if<TimeDistributed>()) {
    auto inner = inside_of(*timed).at(0).second;
    auto at = inner->info().named ? inner->info().name : snake_case(inner->kind());
    made.config["layer"] = this->layer(*inner, at, inputs, group.at("layer")).item();
  }
  return made;
}

KerasItem KerasWriter::sequential(std::vector<AnyLayer> layers, const std::string& name,
                                  const Tensors& inputs, Hdf5Group& group) {
  KerasItem made{"Sequential", keras_base(name, inputs[0].dtype())};
  made.config["layers"] = Json::array({keras_input_item("input_layer", inputs[0])});
  group.at("vars").texts["name"] = name;
  KerasCounts counts;
  ChildNames names;
  Tensors x = inputs;
  for (auto& layer : layers) {
    const auto own = names.next(layer.info().name, layer);
    Hdf5Group inner;
    const auto item = this->layer(layer, own, x, inner);
    if (!item.kwargs.empty() || item.class_name.ends_with("Attention")) {
      trouble(item.class_name, own,
              "Keras calls it with two tensors, which is no Sequential; make "
              "the model a Functional");
    }
    x = {layer.call(x).at(0)};
    if (item.class_name.empty()) continue;
    made.config["layers"].push_back(item.item());
    group.at("layers").groups[counts.next(snake_case(item.class_name))] = std::move(inner);
  }
  return made;
}

}  // namespace maskgrad::detail
