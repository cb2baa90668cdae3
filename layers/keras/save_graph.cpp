#include <fmt/format.h>

#include <maskgrad/layers/keras/assemble.hpp>
#include <maskgrad/layers/keras/save_order.hpp>
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
  std::size_t at = 0;  ///< its node in the graph that is written
  int first = 0;       ///< which of its results is the first of `results`
  int node = 0;        ///< which call of the layer
  bool model = false;  ///< of a model inside, whose own nodes Keras counts as well
  Tensors results = {};
};

class KerasGraphWriter {
 public:
  explicit KerasGraphWriter(KerasWriter& writer) : writer_(writer) {}

  void input(const std::string& name, const Tensor& meta) {
    starts_.push_back({name, 0, 0});
    origins_.push_back({name, nodes_.size(), 0, 0, false, {meta}});
    Hdf5Group group;
    group.at("vars").texts["name"] = name;
    add(name, "InputLayer", keras_input_item(name, meta), std::move(group));
    nodes_.push_back({items_.size() - 1, {}});
  }

  /// A call that no output needs is no part of the file.
  void pass_over() { origins_.push_back({}); }
  /// The same for one that Keras has not; what reads it reads what it reads.
  void pass_through(AnyLayer& layer, const Functional::Node& input) {
    KerasOrigin from = origin(input);
    from.first += input.result;
    from.results = layer.call({from.results.at(static_cast<std::size_t>(input.result))});
    origins_.push_back(std::move(from));
  }

  void call(AnyLayer& layer, const std::vector<Functional::Node>& inputs) {
    const std::string& name = layer.info().name;
    Tensors given;
    std::vector<Json> tensors;
    KerasNode node;
    for (const auto& input : inputs) {
      const auto& from = origin(input);
      given.push_back(from.results.at(static_cast<std::size_t>(input.result)));
      tensors.push_back(
          keras_tensor(given.back(), from.layer, from.node, from.first + input.result));
      node.parents.push_back(from.at);
    }
    if (!known_.contains(name)) {
      Hdf5Group group;
      const auto made = writer_.layer(layer, name, given, group);
      known_[name] = {items_.size(), made.kwargs};
      add(name, made.class_name, made.item(), std::move(group));
    }
    auto& known = known_[name];
    node.layer = known.item;
    Json kwargs = known.kwargs;
    Json args = keras_arguments(items_[known.item].class_name, tensors, kwargs);
    items_[known.item].json["inbound_nodes"].push_back(
        {{"args", std::move(args)}, {"kwargs", std::move(kwargs)}});
    origins_.push_back(
        {name, nodes_.size(), 0, known.calls++, layer.is<Functional>(), layer.call(given)});
    nodes_.push_back(std::move(node));
  }

  void finish(const std::vector<Functional::Node>& outputs, Json& config, Hdf5Group& layers) {
    std::vector<std::size_t> ends;
    std::vector<Json> named;
    for (const auto& node : outputs) {
      const auto& from = origin(node);
      ends.push_back(from.at);
      named.push_back({from.layer, from.node + (from.model ? 1 : 0), from.first + node.result});
    }
    KerasCounts counts;
    config["layers"] = Json::array();
    for (const auto at : keras_order(nodes_, ends, starts_.size())) {
      auto& item = items_[at];
      layers.groups[counts.next(snake_case(item.class_name))] = std::move(item.group);
      config["layers"].push_back(std::move(item.json));
    }
    config["input_layers"] = keras_ends(starts_);
    config["output_layers"] = keras_ends(named);
  }

 private:
  struct Item {
    std::string class_name;
    Json json;
    Hdf5Group group;
  };
  struct Known {
    std::size_t item = 0;
    Json kwargs;
    int calls = 0;
  };

  const KerasOrigin& origin(const Functional::Node& node) const {
    return origins_.at(static_cast<std::size_t>(node.call));
  }
  void add(const std::string& name, const std::string& class_name, Json json, Hdf5Group group) {
    json["name"] = name;
    json["inbound_nodes"] = Json::array();
    items_.push_back({class_name, std::move(json), std::move(group)});
  }

  KerasWriter& writer_;
  std::vector<Item> items_;
  std::vector<KerasNode> nodes_;
  std::vector<Json> starts_;
  std::vector<KerasOrigin> origins_;
  std::map<std::string, Known> known_;
};

/// Which calls the outputs need, the inputs before them.
std::vector<bool> needed_calls(const Functional& model) {
  std::vector<KerasNode> nodes(FunctionalParts::inputs(model).size());
  for (const auto& call : FunctionalParts::calls(model)) {
    nodes.push_back({});
    for (const auto& node : call.inputs) {
      nodes.back().parents.push_back(static_cast<std::size_t>(node.call));
    }
  }
  std::vector<std::size_t> ends;
  for (const auto& node : FunctionalParts::outputs(model)) {
    ends.push_back(static_cast<std::size_t>(node.call));
  }
  return keras_needed(nodes, ends);
}

}  // namespace

KerasItem KerasWriter::functional(const Functional& model, const std::string& name,
                                  const Tensors& inputs, Hdf5Group& group) {
  KerasItem made{"Functional", {{"name", name}, {"trainable", true}}};
  group.at("vars").texts["name"] = name;
  KerasGraphWriter graph(*this);
  const auto& names = FunctionalParts::inputs(model);
  for (std::size_t i = 0; i < names.size(); ++i) graph.input(names[i], inputs.at(i));
  auto& layers = const_cast<Functional&>(model);  // they are called with meta tensors alone
  const auto needed = needed_calls(model);
  std::size_t at = names.size();
  for (const auto& call : FunctionalParts::calls(model)) {
    AnyLayer& layer = layers.layer(static_cast<std::int64_t>(call.layer));
    if (!needed[at++]) {
      graph.pass_over();
    } else if (is_keras_guard(layer)) {
      graph.pass_through(layer, call.inputs.at(0));
    } else {
      graph.call(layer, call.inputs);
    }
  }
  graph.finish(FunctionalParts::outputs(model), made.config, group.at("layers"));
  return made;
}

}  // namespace maskgrad::detail
