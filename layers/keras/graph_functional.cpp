#include <fmt/format.h>

#include <algorithm>
#include <map>

#include <maskgrad/layers/keras/graph.hpp>
#include <maskgrad/layers/keras/tensor_reference.hpp>

namespace maskgrad::detail {
namespace {

class FunctionalReader {
 public:
  FunctionalReader(const Json& config, int major, std::vector<std::string>& troubles, int depth)
      : config_(config), major_(major), troubles_(troubles), depth_(depth) {}

  KerasModel read() {
    made_.class_name = "Functional";
    made_.name = config_text(config_, "name");
    read_layers();
    note_offsets();
    read_inputs();
    read_outputs();
    return std::move(made_);
  }

 private:
  void trouble(std::string text) { troubles_.push_back(std::move(text)); }

  void read_layers() {
    const Json* layers = config_at(config_, "layers");
    if (!layers || !layers->is_array()) return trouble("a functional model has no list of layers");
    for (const auto& layer : *layers) {
      auto one = read_keras_layer(layer, major_, troubles_, depth_);
      if (!places_.emplace(one.name, made_.layers.size()).second) {
        trouble(fmt::format("two layers are named '{}'", one.name));
      }
      made_.layers.push_back(std::move(one));
      const Json* nodes = config_at(layer, "inbound_nodes");
      nodes_.push_back(nodes && nodes->is_array() ? *nodes : Json::array());
    }
  }

  // A model that is a layer was called once when it was made. Some versions count that call in some
  // references: which do is seen by what fits, else known of the version.
  void note_offsets() {
    for (std::size_t i = 0; i < made_.layers.size(); ++i) {
      const auto& layer = made_.layers[i];
      if (!layer.model) continue;
      inside_[layer.name] = outside_[layer.name] = 0;
      const bool counted = !(major_ >= 3 && layer.model->sequential);
      inside_[layer.name] = counted && major_ < 3 ? 1 : 0;
      outside_[layer.name] = counted ? 1 : 0;
    }
    std::map<std::string, std::vector<std::int64_t>> inside, outside;
    for (const auto& nodes : nodes_) gather(nodes, inside, 0);
    if (const Json* outputs = config_at(config_, "output_layers")) gather(*outputs, outside, 0);
    // Keras 1 and 2 count in both alike.
    if (major_ < 3) {
      for (const auto& [name, nodes] : outside) {
        auto& all = inside[name];
        all.insert(all.end(), nodes.begin(), nodes.end());
      }
      settle(inside_, inside);
      outside_ = inside_;
    } else {
      settle(inside_, inside);
      settle(outside_, outside);
    }
  }
  void settle(std::map<std::string, std::int64_t>& offsets,
              const std::map<std::string, std::vector<std::int64_t>>& seen) {
    for (auto& [name, offset] : offsets) {
      const auto found = seen.find(name);
      if (found == seen.end()) continue;
      const auto calls = static_cast<std::int64_t>(nodes_[places_[name]].size());
      const auto& read = found->second;
      const auto fits = [&](std::int64_t by) {
        return std::ranges::all_of(read, [&](auto n) { return n >= by && n - by < calls; });
      };
      if (!fits(offset) && fits(1 - offset)) offset = 1 - offset;
    }
  }
  void gather(const Json& json, std::map<std::string, std::vector<std::int64_t>>& seen, int depth) {
    if (depth > 100) return;
    if (const auto found = tensor_reference(json, places_))
      seen[found->layer].push_back(found->node);
    if (json.is_structured()) {
      for (const auto& inner : json) gather(inner, seen, depth + 1);
    }
  }

  // Either one reference, or a list of them, or names alone.
  std::vector<TensorReference> references(const char* key) {
    std::vector<TensorReference> made;
    const Json* list = config_at(config_, key);
    if (!list) return made;
    const auto take = [&](const Json& json) {
      if (const auto one = tensor_reference(json, places_)) return made.push_back(*one), true;
      return false;
    };
    if (take(*list)) return made;
    if (list->is_structured()) {
      for (const auto& one : *list) {
        if (take(one)) continue;
        if (one.is_structured()) {
          for (const auto& inner : one) {
            if (!take(inner))
              trouble(
                  fmt::format("'{}' names a layer that is not there: {}", key, json_text(inner)));
          }
        } else {
          trouble(fmt::format("'{}' names a layer that is not there: {}", key, json_text(one)));
        }
      }
    }
    return made;
  }

  void read_inputs() {
    for (const auto& input : references("input_layers")) {
      const auto place = places_[input.layer];
      const auto& layer = made_.layers[place];
      auto described = input_of_layer(layer.config, layer.class_name);
      if (!described) described = KerasInput{"", {}, config_text(layer.config, "dtype", "float32")};
      described->name = layer.name;
      if (!calls_.emplace(std::pair(place, std::int64_t{0}), static_cast<int>(made_.calls.size()))
               .second)
        continue;
      made_.calls.push_back({place, {}});
      made_.inputs.push_back(*described);
    }
    if (made_.inputs.empty()) trouble("the model has no inputs");
  }

  void read_outputs() {
    for (const auto& output : references("output_layers")) {
      const auto call = visit(places_[output.layer], output.node - offset(outside_, output.layer));
      if (call < 0) return;
      made_.outputs.push_back({call, static_cast<int>(output.result)});
      made_.output_names.push_back(
          output.result == 0 ? output.layer : fmt::format("{}.{}", output.layer, output.result));
    }
    if (made_.outputs.empty()) trouble("the model has no outputs");
  }
  static std::int64_t offset(const std::map<std::string, std::int64_t>& offsets,
                             const std::string& name) {
    const auto found = offsets.find(name);
    return found == offsets.end() ? 0 : found->second;
  }

  struct Open {
    std::size_t layer;
    std::int64_t node;
    std::vector<KerasArgument> arguments;
    std::vector<std::pair<std::size_t, std::int64_t>> needs;  ///< of each value, in order
    std::size_t next = 0;
  };

  // The call of a node, behind those that it needs; depth first, without recursion.
  int visit(std::size_t layer, std::int64_t node) {
    if (const auto known = calls_.find({layer, node}); known != calls_.end()) return known->second;
    std::vector<Open> open;
    if (!enter(layer, node, open)) return -1;
    while (!open.empty()) {
      auto& top = open.back();
      if (top.next < top.needs.size()) {
        const auto [at, n] = top.needs[top.next++];
        if (!calls_.contains({at, n}) && !enter(at, n, open)) return -1;
        continue;
      }
      std::size_t value = 0;
      for (auto& argument : top.arguments) {
        for (auto& v : argument.values) v.call = calls_[top.needs[value++]];
      }
      const auto call = static_cast<int>(made_.calls.size());
      made_.calls.push_back({top.layer, std::move(top.arguments)});
      calls_[{top.layer, top.node}] = call;
      running_.erase({top.layer, top.node});
      open.pop_back();
    }
    return calls_[{layer, node}];
  }
  bool enter(std::size_t layer, std::int64_t node, std::vector<Open>& open) {
    const auto& nodes = nodes_[layer];
    const auto& name = made_.layers[layer].name;
    if (node < 0 || node >= std::ssize(nodes)) {
      trouble(
          fmt::format("call {} of the layer '{}' is read, which has {}", node, name, nodes.size()));
      return false;
    }
    if (!running_.insert({{layer, node}, true}).second) {
      trouble(fmt::format("the layer '{}' reads its own result", name));
      return false;
    }
    open.push_back({layer, node, {}, {}});
    read_node(nodes[static_cast<std::size_t>(node)], open.back());
    return true;
  }

  void read_node(const Json& node, Open& open) {
    if (node.is_object()) {  // Keras 3
      if (const Json* args = config_at(node, "args"); args && args->is_array()) {
        for (const auto& one : *args) add(open, "", one);
      }
      if (const Json* kwargs = config_at(node, "kwargs")) keywords(open, *kwargs);
      return;
    }
    if (!node.is_array()) return;
    // Keras 2: the tensors of the first argument, each with keywords behind it.
    KerasArgument x;
    Json more;
    const auto take = [&](const Json& one) {
      const auto found = tensor_reference(one, places_);
      if (!found) {
        // ["_CONSTANT_VALUE", -1, value, {}]
        if (one.is_array() && one.size() >= 3) open.arguments.push_back({.constant = one[2]});
      } else {
        note(open, x, *found);
      }
      if (one.is_array() && one.size() == 4 && one[3].is_object() && !one[3].empty()) more = one[3];
    };
    if (tensor_reference(node, places_)) {
      take(node);
    } else {
      for (const auto& one : node) take(one);
    }
    x.list = x.values.size() > 1;
    if (!x.values.empty()) open.arguments.push_back(std::move(x));
    if (more.is_object()) keywords(open, more);
  }
  void keywords(Open& open, const Json& kwargs) {
    if (!kwargs.is_object()) return;
    for (const auto& [key, value] : kwargs.items()) {
      if (key != "name" && key != "training") add(open, key, value);
    }
  }
  void note(Open& open, KerasArgument& argument, const TensorReference& found) {
    argument.values.push_back({-1, static_cast<int>(found.result)});
    const auto by = offset(inside_, found.layer);
    open.needs.emplace_back(places_[found.layer], found.node - by);
  }
  void add(Open& open, const std::string& keyword, const Json& value) {
    KerasArgument argument{.keyword = keyword};
    if (const auto found = tensor_reference(value, places_)) {
      note(open, argument, *found);
    } else {
      argument.constant = value;
      tensors_in(open, argument, value, 0);
      argument.list = !argument.values.empty();
    }
    open.arguments.push_back(std::move(argument));
  }
  void tensors_in(Open& open, KerasArgument& argument, const Json& value, int depth) {
    if (!value.is_structured() || depth > 20) return;
    for (const auto& inner : value) {
      if (const auto found = tensor_reference(inner, places_)) {
        note(open, argument, *found);
      } else {
        tensors_in(open, argument, inner, depth + 1);
      }
    }
  }

  const Json& config_;
  int major_;
  std::vector<std::string>& troubles_;
  int depth_;
  KerasModel made_;
  std::vector<Json> nodes_;                    ///< of each layer
  std::map<std::string, std::size_t> places_;  ///< of layers, by name
  std::map<std::string, std::int64_t> inside_, outside_;
  std::map<std::pair<std::size_t, std::int64_t>, int> calls_;
  std::map<std::pair<std::size_t, std::int64_t>, bool> running_;
};

}  // namespace

KerasModel read_keras_functional(const Json& model, int major, std::vector<std::string>& troubles,
                                 int depth) {
  return FunctionalReader(*config_at(model, "config"), major, troubles, depth).read();
}

}  // namespace maskgrad::detail
