#include <maskgrad/layers/keras/graph.hpp>
#include <maskgrad/layers/keras/rules.hpp>

#include <array>
#include <utility>

namespace maskgrad::detail {
namespace {

constexpr int most_nested_models = 50;

using NamePair = std::pair<std::string_view, std::string_view>;

// What layers were called elsewhere, and in Keras 1.
constexpr NamePair keras_class_names[] = {
    {"Convolution1D", "Conv1D"},
    {"AtrousConvolution1D", "Conv1D"},
    {"SeparableConvolution1D", "SeparableConv1D"},
    {"DepthwiseConvolution1D", "DepthwiseConv1D"},
    {"Convolution1DTranspose", "Conv1DTranspose"},
    {"MaxPool1D", "MaxPooling1D"},
    {"AvgPool1D", "AveragePooling1D"},
    {"GlobalMaxPool1D", "GlobalMaxPooling1D"},
    {"GlobalAvgPool1D", "GlobalAveragePooling1D"},
    {"TimeDistributedDense", "Dense"},
    {"BatchNormalizationV1", "BatchNormalization"},
    {"BatchNormalizationV2", "BatchNormalization"},
    {"SyncBatchNormalization", "BatchNormalization"},
    {"LSTMV1", "LSTM"},
    {"LSTMV2", "LSTM"},
    {"GRUV1", "GRU"},
    {"GRUV2", "GRU"},
    {"UnifiedLSTM", "LSTM"},
    {"UnifiedGRU", "GRU"},
    {"LSTMCellV2", "LSTMCell"},
    {"GRUCellV2", "GRUCell"},
    {"DenseAttention", "Attention"},
    {"GroupQueryAttention", "GroupedQueryAttention"},  // its name in Keras's API
};

// Options that Keras 1 called otherwise.
constexpr NamePair keras_option_names[] = {
    {"output_dim", "units"},
    {"nb_filter", "filters"},
    {"filter_length", "kernel_size"},
    {"subsample_length", "strides"},
    {"border_mode", "padding"},
    {"bias", "use_bias"},
    {"inner_activation", "recurrent_activation"},
    {"p", "rate"},
    {"sigma", "stddev"},
    {"pool_length", "pool_size"},
    {"stride", "strides"},
    {"atrous_rate", "dilation_rate"},
    {"dropout_W", "dropout"},
    {"dropout_U", "recurrent_dropout"},
    {"length", "size"},
};

void rename_keras_options(KerasLayer& layer) {
  for (const auto& [from, to] : keras_option_names) {
    if (layer.class_name == "Embedding" && from == "output_dim") continue;
    const Json* found = config_at(layer.config, from);
    if (found && !layer.config.contains(std::string(to))) {
      Json value = *found;
      layer.config[std::string(to)] = std::move(value);
    }
  }
}

bool is_operation(const Json& layer, const Json& config, const std::string& class_name) {
  const std::string module = config_text(layer, "module");
  if (module.starts_with("keras.src.ops") || module.starts_with("keras.ops")) return true;
  if (is_layer_alone(class_name)) return false;
  // Legacy files do not say the module: an operation has nothing that layers have.
  return module.empty() && config.is_object() && config.contains("name") &&
         !config.contains("trainable") && !config.contains("dtype") &&
         !config.contains("batch_input_shape") && !config.contains("batch_shape") &&
         !config.contains("layers");
}

// Whether the class is not Keras's own, whatever its name: its module or the package before `>` says
// so, or it lacks an option that Keras writes of the class of that name.
bool is_of_others(const Json& layer, const Json& config, const std::string& class_name) {
  if (class_name.find('>') != std::string::npos) return true;
  const std::string module = config_text(layer, "module");
  const auto in = [&](const std::string& package) {
    return module == package || module.starts_with(package + ".");
  };
  if (!module.empty() && !in("keras") && !in("tf_keras") && !in("keras_core") && !in("tensorflow"))
    return true;
  const std::string registered = config_text(layer, "registered_name");
  if (module.empty() && !registered.empty()) return true;
  constexpr NamePair always[] = {{"Attention", "use_scale"},
                                 {"AdditiveAttention", "use_scale"},
                                 {"MultiHeadAttention", "key_dim"}};
  return config.is_object() && std::ranges::any_of(always, [&](const NamePair& pair) {
           return class_name == pair.first && !config.contains(std::string(pair.second));
         });
}

// Numbers that were NumPy's when the file was written, as numbers.
void unpack_numbers(Json& config) {
  if (!config.is_object()) return;
  for (auto& option : config) {
    const auto kind = config_text(option, "class_name");
    const Json* packed = kind == "__numpy__" || kind == "__tensor__" ? config_at(option, "config")
                         : config_text(option, "type") == "ndarray"  ? &option
                                                                     : nullptr;
    const Json* value = packed ? config_at(*packed, "value") : nullptr;
    if (!value) continue;
    Json number = *value;
    option = std::move(number);
  }
}

}  // namespace

bool is_keras_model(std::string_view class_name) {
  return class_name == "Sequential" || class_name == "Functional" || class_name == "Model" ||
         class_name == "Graph";
}

KerasLayer read_keras_layer(const Json& layer, int major, std::vector<std::string>& troubles,
                            int depth) {
  KerasLayer made;
  const std::string written = config_text(layer, "class_name");
  made.class_name = written.substr(written.rfind('>') + 1);
  for (const auto& [from, to] : keras_class_names) {
    if (made.class_name == from) made.class_name = to;
  }
  const Json* config = config_at(layer, "config");
  made.config = config ? *config : Json::object();
  unpack_numbers(made.config);
  if (is_of_others(layer, made.config, written) && !is_custom(made)) {
    made.shown_class = made.class_name;
    made.class_name = "Custom>" + made.class_name;
  }
  made.name = config_text(layer, "name", config_text(made.config, "name"));
  made.operation = major >= 3 && is_operation(layer, made.config, made.class_name);
  take_tensorflow_operation(made);
  made.trainable = config_flag(made.config, "trainable", true);
  if (depth > most_nested_models) {
    troubles.push_back("layers are nested more than 50 deep");
    return made;
  }
  // A model that is a class of its own is told by what it holds.
  const bool like_model = made.config.is_object() && made.config.contains("layers") &&
                          made.config.contains("output_layers");
  if (is_keras_model(made.class_name) || like_model) {
    made.model =
        std::make_shared<const KerasModel>(read_keras_model(layer, major, troubles, depth + 1));
    if (made.name.empty()) made.name = made.model->name;
    return made;
  }
  if (!made.config.is_object()) {
    made.config = Json::object();
    return made;
  }
  rename_keras_options(made);
  for (const char* key : {"layer", "cell", "backward_layer"}) {
    if (const Json* inner = config_at(made.config, key); inner && inner->is_object()) {
      made.inner.push_back(read_keras_layer(*inner, major, troubles, depth + 1));
    }
  }
  const bool merges = made.class_name == "Merge";
  const Json* list = config_at(made.config, merges ? "layers" : "cells");
  if (list && list->is_array()) {
    for (const auto& one : *list) {
      made.inner.push_back(read_keras_layer(one, major, troubles, depth + 1));
    }
  }
  return made;
}

KerasModel read_keras_model(const Json& model, int major, std::vector<std::string>& troubles) {
  return read_keras_model(model, major, troubles, 0);
}

KerasModel read_keras_model(const Json& model, int major, std::vector<std::string>& troubles,
                            int depth) {
  const std::string class_name = config_text(model, "class_name");
  const Json* config = config_at(model, "config");
  const bool functional = config && config->is_object() && config->contains("output_layers");
  if (!functional && (class_name == "Sequential" || (config && config->is_array()) ||
                      (config && config->is_object() && config->contains("layers")))) {
    return read_keras_sequential(model, major, troubles, depth);
  }
  if (functional) return read_keras_functional(model, major, troubles, depth);
  troubles.push_back("the model '" + class_name +
                     "' is a class of its own that tells no layers; only Sequential and functional "
                     "models do. Build the same layers by the functional API, and set its weights");
  return {class_name, config ? config_text(*config, "name") : "", {}, {}, {}, {}, {}};
}

}  // namespace maskgrad::detail
