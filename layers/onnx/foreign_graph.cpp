#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include <maskgrad/layers/onnx/foreign.hpp>

namespace maskgrad::onnx {

const Attribute* Foreign::find(const Node& node, const char* name) const {
  for (const auto& a : node.attributes) {
    if (a.name == name) return &a;
  }
  return nullptr;
}
std::int64_t Foreign::integer(const Node& node, const char* name, std::int64_t otherwise) const {
  const auto* a = find(node, name);
  return a ? a->i : otherwise;
}
double Foreign::real(const Node& node, const char* name, double otherwise) const {
  const auto* a = find(node, name);
  return a ? static_cast<double>(a->f) : otherwise;
}
std::string Foreign::text(const Node& node, const char* name, const char* otherwise) const {
  const auto* a = find(node, name);
  return a ? a->s : otherwise;
}

std::optional<std::vector<std::int64_t>> Foreign::integers(const Node& node, const char* name,
                                                           std::size_t input) const {
  if (const auto* a = find(node, name)) return a->ints;
  const auto* data = constant(node, input);
  if (!data || data->type != static_cast<int>(Type::i64) || data->raw.size() % 8 != 0 ||
      data->raw.size() > 512) {
    return {};
  }
  std::vector<std::int64_t> values(data->raw.size() / 8);
  if (!values.empty()) std::memcpy(values.data(), data->raw.data(), data->raw.size());
  return values;
}

const TensorData* Foreign::constant(const std::string& name) const {
  const auto found = constants_.find(name);
  return found == constants_.end() ? nullptr : found->second;
}

bool Foreign::is_zero(const std::string& name) const {
  if (zeros_.contains(name)) return true;
  const auto* data = constant(name);
  return data && std::all_of(data->raw.begin(), data->raw.end(), [](char c) { return c == 0; });
}

const Traced* Foreign::traced(const Node& node, std::size_t input) {
  const auto found = given(node, input) ? values_.find(node.inputs[input]) : values_.end();
  if (found == values_.end()) {
    trouble(node, fmt::format("its input {} is none that is computed from the inputs of the graph "
                              "by operators that are read here",
                              given(node, input) ? "'" + node.inputs[input] + "'" : "is missing"));
    return nullptr;
  }
  return &found->second;
}

const Node* Foreign::only_reader(const std::string& name) const {
  const auto found = readers_.find(name);
  if (outputs_.contains(name) || found == readers_.end() || found->second.size() != 1) {
    return nullptr;
  }
  return found->second[0];
}

bool Foreign::is_read(const Node& node, std::size_t output) const {
  if (output >= node.outputs.size() || node.outputs[output].empty()) return false;
  return outputs_.contains(node.outputs[output]) || readers_.contains(node.outputs[output]);
}

Functional::Node Foreign::call(const AnyLayer& layer, const std::vector<Functional::Node>& inputs,
                               const std::string& key, const Weights& weights) {
  if (!key.empty()) {
    const auto known = made_.find(key);
    if (known != made_.end()) return model_.call(known->second, inputs);
  }
  const auto id = model_.layer(layer);
  if (!key.empty()) made_.emplace(key, id);
  if (!weights.empty()) weights_.emplace_back(id, weights);
  return model_.call(id, inputs);
}

void Foreign::like(const Node& node, const Traced& x, Functional::Node made) {
  if (node.outputs.empty()) return;
  Traced y = x;
  y.node = made;
  values_[node.outputs[0]] = std::move(y);
}

void Foreign::trouble(const Node& node, const std::string& why) {
  const auto title = !node.name.empty()     ? node.name
                     : node.outputs.empty() ? std::string()
                                            : node.outputs[0];
  if (troubles_.size() < 1000) {
    troubles_.push_back(fmt::format("{}{} '{}': {}", node.domain.empty() ? "" : node.domain + ".",
                                    node.op, title, why));
  }
  // What it gives is unknown, and told once: those that read it are told too.
}

namespace {

constexpr std::pair<const char*, Reading> readings[] = {
    {"RNN", read_recurrent},
    {"GRU", read_recurrent},
    {"LSTM", read_recurrent},
    {"MatMul", read_matmul},
    {"Gemm", read_gemm},
    {"Conv", read_conv},
    {"MaxPool", read_pool},
    {"AveragePool", read_pool},
    {"GlobalMaxPool", read_global_pool},
    {"GlobalAveragePool", read_global_pool},
    {"BatchNormalization", read_batch_normalization},
    {"LayerNormalization", read_layer_normalization},
    {"Gather", read_embedding},
    {"Relu", read_activation},
    {"Tanh", read_activation},
    {"Sigmoid", read_activation},
    {"LeakyRelu", read_activation},
    {"Elu", read_activation},
    {"Selu", read_activation},
    {"Celu", read_activation},
    {"Softplus", read_activation},
    {"Softsign", read_activation},
    {"HardSigmoid", read_activation},
    {"HardSwish", read_activation},
    {"Exp", read_activation},
    {"Mish", read_activation},
    {"Gelu", read_activation},
    {"Clip", read_clip},
    {"Softmax", read_softmax},
    {"LogSoftmax", read_softmax},
    {"Add", read_merge},
    {"Sub", read_merge},
    {"Mul", read_merge},
    {"Max", read_merge},
    {"Min", read_merge},
    {"Concat", read_concat},
    {"ReduceMean", read_reduce},
    {"ReduceMax", read_reduce},
    {"ReduceSum", read_reduce},
    {"Identity", read_pass},
    {"Dropout", read_pass},
    {"Cast", read_pass},
    {"Transpose", read_transpose},
    {"Squeeze", read_squeeze},
    {"Unsqueeze", read_unsqueeze},
    {"Flatten", read_flatten},
    {"Reshape", read_reshape},
    {"Slice", read_slice},
};

}  // namespace

Reading reading_of(const std::string& op) {
  for (const auto& [name, reading] : readings) {
    if (name == op) return reading;
  }
  return nullptr;
}

std::vector<std::string_view> read_operators() {
  std::vector<std::string_view> names;
  for (const auto& [name, reading] : readings) names.emplace_back(name);
  return names;
}

}  // namespace maskgrad::onnx
