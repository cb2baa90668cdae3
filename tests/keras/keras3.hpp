#pragma once

#include <string>

/// Functional models as Keras 3 writes them.
namespace keras_files {

inline std::string tensor3(const std::string& layer, int node = 0, int result = 0) {
  return R"({"class_name": "__keras_tensor__", "config": {"shape": [null, 5, 2], "dtype": "float32",
             "keras_history": [")" +
         layer + "\", " + std::to_string(node) + ", " + std::to_string(result) + "]}}";
}
inline std::string layer3(const std::string& kind, const std::string& name,
                          const std::string& config, const std::string& nodes,
                          const std::string& module = "keras.layers") {
  return R"({"module": ")" + module + R"(", "class_name": ")" + kind +
         R"(", "config": {"name": ")" + name + "\"" + (config.empty() ? "" : ", " + config) +
         R"(}, "registered_name": null, "name": ")" + name + R"(", "inbound_nodes": [)" + nodes +
         "]}";
}
inline std::string functional3(const std::string& layers, const std::string& inputs,
                               const std::string& outputs) {
  return R"({"module": "keras.src.models.functional", "class_name": "Functional", "config": {"name": "f",
             "trainable": true, "layers": [)" +
         layers + R"(], "input_layers": )" + inputs + R"(, "output_layers": )" + outputs +
         R"(}, "registered_name": "Functional"})";
}
inline std::string input3(const std::string& name, const std::string& shape) {
  return layer3("InputLayer", name, R"("batch_shape": )" + shape + R"(, "dtype": "float32")", "");
}

/// A node that calls with these arguments.
inline std::string node3(const std::string& args, const std::string& kwargs = "") {
  return R"({"args": [)" + args + R"(], "kwargs": {)" + kwargs + "}}";
}
/// A function of keras.ops.
inline std::string operation3(const std::string& kind, const std::string& name,
                              const std::string& config, const std::string& node) {
  return layer3(kind, name, config, node, "keras.src.ops.numpy");
}

}  // namespace keras_files
