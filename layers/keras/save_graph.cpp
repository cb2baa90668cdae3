#include <fmt/format.h>

#include <maskgrad/layers/keras/saving.hpp>

// A Functional in Keras's form: layers with the nodes that call them.

namespace maskgrad::detail {
namespace {

/// In the order of Keras's arguments, as the class wants them.
Json keras_arguments(const std::string& class_name, const std::vector<Json>& tensors,
                     Json& kwargs) {
  const bool attends = class_name == "MultiHeadAttention" || class_name == "GroupedQueryAttention";
  const bool pairs = class_name == "Attention" || class_name == "AdditiveAttention";
  std::vector<Json> all = tensors;
  if ((attends || pairs) && all.size() == 1) all.push_back(all[0]);  // it attends to itself
  if (attends) return Json(all);
  const bool recurrent = class_name == "GRU" || class_name == "LSTM" || class_name == "RNN" ||
                         class_name == "SimpleRNN" || class_name == "Bidirectional";
  if (recurrent && all.size() > 1) {
    kwargs["initial_state"] = Json(std::vector<Json>(all.begin() + 1, all.end()));
    return Json::array({all[0]});
  }
  return all.size() == 1 ? Json::array({all[0]}) : Json::array({Json(all)});
}

Json keras_tensor(const Tensor& meta, const std::string& layer, int node, int result) {
  return {{"class_name", "__keras_tensor__"},
          {"config",
           {{"shape", keras_shape(meta.shape())},
            {"dtype", keras_dtype(meta.dtype())},
            {"keras_history", {layer, node, result}}}}};
}

Json keras_ends(const std::vector<Json>& ends) {
  return ends.size() == 1 ? ends[0] : Json(ends);
}

/// Where tensors of a Functional come from in Keras's words.
struct KerasOrigin {
  std::string layer;
  int node = 0;        ///< which call of the layer
  bool model = false;  ///< of a model inside, whose own nodes Keras counts as well
  Tensors results = {};
};

class KerasGraphWriter {
 public:
  KerasGraphWriter(KerasWriter& writer, Hdf5Group& group) : writer_(writer), group_(group) {}

  void input(const std::string& name, const Tensor& meta) {
    add(keras_input_item(name, meta), name);
    starts_.push_back({name, 0, 0});
    origins_.push_back({name, 0, false, {meta}});
    group_.at("layers/" + counts_.next("input_layer") + "/vars").texts["name"] = name;
  }

  void call(AnyLayer& layer, const std::vector<Functional::Node>& inputs) {
    const std::string& name = layer.info().name;
    Tensors given;
    std::vector<Json> tensors;
    for (const auto& node : inputs) {
      const auto& from = origin(node);
      given.push_back(from.results.at(static_cast<std::size_t>(node.result)));
      tensors.push_back(keras_tensor(given.back(), from.layer, from.node, node.result));
    }
    if (!known_.contains(name)) add_layer(layer, name, given);
    auto& known = known_[name];
    Json kwargs = known.kwargs;
    Json args = keras_arguments(known.class_name, tensors, kwargs);
    items_[known.item]["inbound_nodes"].push_back(
        {{"args", std::move(args)}, {"kwargs", std::move(kwargs)}});
    origins_.push_back({name, known.calls++, layer.is<Functional>(), layer.call(given)});
  }

  void output(const Functional::Node& node) {
    const auto& from = origin(node);
    ends_.push_back({from.layer, from.node + (from.model ? 1 : 0), node.result});
  }

  void finish(Json& config) {
    config["layers"] = std::move(items_);
    config["input_layers"] = keras_ends(starts_);
    config["output_layers"] = keras_ends(ends_);
  }

 private:
  struct Known {
    std::size_t item = 0;
    std::string class_name;
    Json kwargs;
    int calls = 0;
  };

  const KerasOrigin& origin(const Functional::Node& node) const {
    return origins_.at(static_cast<std::size_t>(node.call));
  }
  void add(Json item, const std::string& name) {
    item["name"] = name;
    item["inbound_nodes"] = Json::array();
    items_.push_back(std::move(item));
  }
  void add_layer(AnyLayer& layer, const std::string& name, const Tensors& given) {
    Hdf5Group inner;
    const auto made = writer_.layer(layer, name, given, inner);
    known_[name] = {items_.size(), made.class_name, made.kwargs};
    add(made.item(), name);
    group_.at("layers").groups[counts_.next(snake_case(made.class_name))] = std::move(inner);
  }

  KerasWriter& writer_;
  Hdf5Group& group_;
  KerasCounts counts_;
  std::vector<Json> items_, starts_, ends_;
  std::vector<KerasOrigin> origins_;
  std::map<std::string, Known> known_;
};

}  // namespace

KerasItem KerasWriter::functional(const Functional& model, const std::string& name,
                                  const Tensors& inputs, Hdf5Group& group) {
  KerasItem made{"Functional", {{"name", name}, {"trainable", true}}};
  group.at("vars").texts["name"] = name;
  KerasGraphWriter graph(*this, group);
  const auto& names = FunctionalParts::inputs(model);
  for (std::size_t i = 0; i < names.size(); ++i) graph.input(names[i], inputs.at(i));
  auto& layers = const_cast<Functional&>(model);  // they are called with meta tensors alone
  for (const auto& call : FunctionalParts::calls(model)) {
    graph.call(layers.layer(static_cast<std::int64_t>(call.layer)), call.inputs);
  }
  for (const auto& node : FunctionalParts::outputs(model)) graph.output(node);
  graph.finish(made.config);
  return made;
}

}  // namespace maskgrad::detail
