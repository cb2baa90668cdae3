#include <maskgrad/layers/keras/graph.hpp>

namespace maskgrad::detail {

std::optional<KerasInput> input_of_layer(const Json& config, const std::string& class_name) {
  KerasInput input{"input", {}, config_text(config, "dtype", "float32")};
  for (const char* key : {"batch_shape", "batch_input_shape"}) {
    if (const Json* shape = config_at(config, key)) {
      input.shape = config_sizes(*shape, any);
      if (input.shape) return input;
    }
  }
  const auto behind_batch = [&](std::vector<std::int64_t> sizes) {
    sizes.insert(sizes.begin(), any);
    input.shape = std::move(sizes);
    return input;
  };
  if (const Json* shape = config_at(config, "input_shape")) {
    if (const auto sizes = config_sizes(*shape, any)) return behind_batch(*sizes);
  }
  // Keras 1: the features, and the steps.
  const auto features = config_whole(config, "input_dim");
  if (features && class_name != "Embedding") {
    const bool steps = config.contains("input_length");
    if (steps) return behind_batch({config_whole(config, "input_length").value_or(any), *features});
    return behind_batch({*features});
  }
  if (class_name == "Embedding") {
    return behind_batch({config_whole(config, "input_length").value_or(any)});
  }
  return {};
}

namespace {

// What stands at the beginning: layers that are its inputs, and whether the first layer is one.
struct SequentialBeginning {
  std::vector<KerasInput> inputs;
  bool layer = false;
};

SequentialBeginning sequential_beginning(const Json& model, const Json& config, const Json& first,
                                         const KerasLayer& layer) {
  if (layer.class_name == "InputLayer") {
    auto input = input_of_layer(layer.config, layer.class_name);
    if (!input) input = KerasInput{"input", {}, config_text(layer.config, "dtype", "float32")};
    input->name = layer.name.empty() ? "input" : layer.name;
    return {{*input}, true};
  }
  if (layer.model) return {layer.model->inputs, false};
  if (const auto input = input_of_layer(layer.config, layer.class_name)) return {{*input}, false};
  KerasInput input{"input", {}, "float32"};
  const Json* build = config_at(model, "build_config");
  const Json* own = config_at(first, "build_config");
  for (const Json* shape :
       {config_at(config, "build_input_shape"), build ? config_at(*build, "input_shape") : nullptr,
        own ? config_at(*own, "input_shape") : nullptr}) {
    if (shape && !input.shape) input.shape = config_sizes(*shape, any);
  }
  return {{input}, false};
}

// Keras 1: models whose results a Merge puts together, then the other layers.
void put_branches_first(KerasModel& made) {
  std::vector<KerasLayer> branches = std::move(made.layers[0].inner);
  made.layers[0].inner.clear();
  std::vector<KerasLayer> inputs;
  KerasArgument merged{.list = true};
  std::vector<KerasCall> calls;
  for (std::size_t b = 0; b < branches.size(); ++b) {
    KerasArgument x;
    if (!branches[b].model) continue;
    if (branches[b].name.empty()) branches[b].name = "branch_" + std::to_string(b + 1);
    for (auto input : branches[b].model->inputs) {
      input.name = "input_" + std::to_string(made.inputs.size() + 1);
      x.values.push_back({static_cast<int>(made.inputs.size()), 0});
      made.inputs.push_back(input);
      inputs.push_back({"InputLayer", input.name, Json::object()});
    }
    calls.push_back({b, {x}});
  }
  const auto count = inputs.size();
  for (std::size_t i = 0; i < count; ++i) made.calls.push_back({i, {}});
  for (auto& call : calls) {
    call.layer += count;
    merged.values.push_back({static_cast<int>(made.calls.size()), 0});
    made.calls.push_back(std::move(call));
  }
  std::vector<KerasLayer> all = std::move(inputs);
  for (auto& branch : branches) all.push_back(std::move(branch));
  const auto first = all.size();
  for (auto& layer : made.layers) all.push_back(std::move(layer));
  made.layers = std::move(all);
  KerasArgument x = std::move(merged);
  for (std::size_t i = first; i < made.layers.size(); ++i) {
    made.calls.push_back({i, {x}});
    x = {.values = {{static_cast<int>(made.calls.size()) - 1, 0}}};
  }
  made.outputs = x.values;
  made.output_names = {made.layers.back().name};
}

}  // namespace

KerasModel read_keras_sequential(const Json& model, int major, std::vector<std::string>& troubles,
                                 int depth) {
  KerasModel made;
  made.class_name = "Sequential";
  made.sequential = true;
  const Json& config = *config_at(model, "config");
  made.name = config.is_object() ? config_text(config, "name") : "";
  const Json* layers = config.is_array() ? &config : config_at(config, "layers");
  if (!layers || !layers->is_array() || layers->empty()) {
    troubles.push_back("a Sequential has no layers");
    return made;
  }
  for (const auto& layer : *layers) {
    made.layers.push_back(read_keras_layer(layer, major, troubles, depth));
    // Keras 1 and 2 let layers of one list have no names.
    if (made.layers.back().name.empty()) {
      made.layers.back().name = "layer_" + std::to_string(made.layers.size() - 1);
    }
  }
  if (made.layers[0].class_name == "Merge" && !made.layers[0].inner.empty()) {
    put_branches_first(made);
    return made;
  }
  const auto beginning = sequential_beginning(model, config, (*layers)[0], made.layers[0]);
  made.inputs = beginning.inputs;
  KerasArgument x;
  for (std::size_t i = 0; i < made.inputs.size(); ++i) {
    if (!beginning.layer) {
      KerasLayer input{"InputLayer", made.inputs[i].name, Json::object()};
      made.layers.insert(made.layers.begin() + static_cast<std::ptrdiff_t>(i), std::move(input));
    }
    made.calls.push_back({i, {}});
    x.values.push_back({static_cast<int>(i), 0});
  }
  x.list = x.values.size() > 1;
  for (std::size_t i = made.inputs.size(); i < made.layers.size(); ++i) {
    made.calls.push_back({i, {x}});
    x = {.values = {{static_cast<int>(made.calls.size()) - 1, 0}}};
  }
  made.outputs = x.values;
  made.output_names = {made.layers.back().name};
  return made;
}

}  // namespace maskgrad::detail
