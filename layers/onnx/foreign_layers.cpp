#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include <maskgrad/layers/activations/elu.hpp>
#include <maskgrad/layers/activations/leaky_relu.hpp>
#include <maskgrad/layers/activations/relu.hpp>
#include <maskgrad/layers/basic/activation.hpp>
#include <maskgrad/layers/basic/dense.hpp>
#include <maskgrad/layers/basic/embedding.hpp>
#include <maskgrad/layers/basic/softmax.hpp>
#include <maskgrad/layers/merging/concatenate.hpp>
#include <maskgrad/layers/merging/merge.hpp>
#include <maskgrad/layers/normalization/batch_normalization.hpp>
#include <maskgrad/layers/normalization/layer_normalization.hpp>
#include <maskgrad/layers/onnx/foreign.hpp>
#include <maskgrad/layers/onnx/weight.hpp>

namespace maskgrad::onnx {
namespace {

std::string output_of(const Node& node) {
  return node.outputs.empty() ? std::string() : node.outputs[0];
}

bool features_last(const Traced& x) {
  return !x.axes.empty() && x.axes.back() == Role::features && !x.has(Role::directions);
}

/// x kernel + bias, as one layer; `kernel` is [in, out].
void dense(Foreign& to, const Node& node, const Traced& x, const Weight& kernel,
           const std::string& key, std::vector<double> bias) {
  const auto units = kernel.dims[1];
  Foreign::Weights weights{{"kernel", kernel.values}};
  const bool use_bias = !bias.empty();
  if (use_bias) weights["bias"] = std::move(bias);
  to.like(node, x,
          to.call(AnyLayer(Dense{{.units = units, .use_bias = use_bias}}), {x.node}, key, weights));
}

}  // namespace

void read_matmul(Foreign& to, const Node& node) {
  const Traced* x = to.traced(node, 0);
  const auto* data = to.constant(node, 1);
  if (!x) return;
  if (!data || data->dims.size() != 2 || data->dims[1] < 1 || !features_last(*x)) {
    return to.trouble(node, "only features are multiplied, by a matrix of the file");
  }
  const Weight kernel{DType::f64, data->dims, to.reals(*data)};
  if (kernel.values.empty()) return;
  // A bias that comes behind it.
  const Node* next = to.only_reader(output_of(node));
  if (next && next->op == "Add" && next->inputs.size() == 2 && next->domain.empty()) {
    const bool behind = next->inputs[0] == output_of(node);
    const auto* bias = to.constant(*next, behind ? 1 : 0);
    if (bias && count_of(bias->dims) == data->dims[1]) {
      to.done(next);
      return dense(to, *next, *x, kernel, "Dense " + data->name + " " + bias->name,
                   to.reals(*bias));
    }
  }
  dense(to, node, *x, kernel, data->name.empty() ? "" : "Dense " + data->name, {});
}

void read_gemm(Foreign& to, const Node& node) {
  const Traced* x = to.traced(node, 0);
  const auto* data = to.constant(node, 1);
  const auto* bias = to.constant(node, 2);
  if (!x) return;
  const bool plain = to.real(node, "alpha", 1) == 1 && to.integer(node, "transA", 0) == 0 &&
                     (to.real(node, "beta", 1) == 1 || !to.given(node, 2));
  if (!data || data->dims.size() != 2 || std::min(data->dims[0], data->dims[1]) < 1 || !plain ||
      !features_last(*x) || (to.given(node, 2) && !bias)) {
    return to.trouble(node, "only x W + b is read, with W and b of the file");
  }
  Weight kernel{DType::f64, data->dims, to.reals(*data)};
  if (kernel.values.empty()) return;
  const bool turned = to.integer(node, "transB", 0) != 0;
  if (turned) kernel = transposed(kernel, {1, 0});
  const auto key = fmt::format("Gemm {} {} {}", data->name, bias ? bias->name : "", turned);
  std::vector<double> b = bias ? to.reals(*bias) : std::vector<double>();
  if (b.size() == 1) b.assign(static_cast<std::size_t>(kernel.dims[1]), b[0]);
  dense(to, node, *x, kernel, key, std::move(b));
}

void read_batch_normalization(Foreign& to, const Node& node) {
  const Traced* x = to.traced(node, 0);
  if (!x) return;
  const char* names[] = {"gamma", "beta", "moving_mean", "moving_variance"};
  Foreign::Weights weights;
  for (std::size_t i = 0; i < 4; ++i) {
    const auto* data = to.constant(node, i + 1);
    if (!data) return to.trouble(node, "its weights are not in the file");
    weights[names[i]] = to.reals(*data);
  }
  if (x->axis(Role::features) != 1 || x->has(Role::directions)) {
    return to.trouble(node, "its axis 1 is not that of the features");
  }
  const BatchNormalization layer{{.epsilon = to.real(node, "epsilon", 1e-5)}};
  to.like(node, *x, to.call(AnyLayer(layer), {x->node}, "", weights));
}

void read_layer_normalization(Foreign& to, const Node& node) {
  const Traced* x = to.traced(node, 0);
  const auto* gamma = to.constant(node, 1);
  const auto* beta = to.constant(node, 2);
  if (!x) return;
  const auto axis = to.integer(node, "axis", -1);
  const bool last = axis == -1 || axis == static_cast<std::int64_t>(x->axes.size()) - 1;
  if (!gamma || !last || !features_last(*x) || (to.given(node, 2) && !beta)) {
    return to.trouble(node, "only features are normalized, with weights of the file");
  }
  Foreign::Weights weights{{"gamma", to.reals(*gamma)}};
  if (beta) weights["beta"] = to.reals(*beta);
  const LayerNormalization layer{
      {.epsilon = to.real(node, "epsilon", 1e-5), .center = beta != nullptr}};
  to.like(node, *x, to.call(AnyLayer(layer), {x->node}, "", weights));
}

/// A row of a table for each id; of what is no table, one of its parts.
void read_embedding(Foreign& to, const Node& node) {
  const auto* table = to.constant(node, 0);
  if (!table) return read_slice(to, node);
  const Traced* ids = to.traced(node, 1);
  if (!ids) return;
  if (table->dims.size() != 2 || std::min(table->dims[0], table->dims[1]) < 1 ||
      to.integer(node, "axis", 0) != 0) {
    return to.trouble(node, "only rows of a table are taken");
  }
  const Foreign::Weights weights{{"embeddings", to.reals(*table)}};
  const Embedding layer{{.input_dim = table->dims[0], .output_dim = table->dims[1]}};
  Traced y = *ids;
  y.node = to.call(AnyLayer(layer), {ids->node}, "Embedding " + table->name, weights);
  y.axes.push_back(Role::features);
  to.put(output_of(node), std::move(y));
}

void read_activation(Foreign& to, const Node& node) {
  const Traced* x = to.traced(node, 0);
  if (!x) return;
  const auto& op = node.op;
  const auto made = [&]() -> std::optional<AnyLayer> {
    const auto named = [](const char* name) { return AnyLayer(Activation{{.activation = name}}); };
    if (op == "LeakyRelu") {
      return AnyLayer(LeakyReLU{{.negative_slope = to.real(node, "alpha", 0.01)}});
    }
    if (op == "Elu") return AnyLayer(ELU{{.alpha = to.real(node, "alpha", 1)}});
    if (op == "Celu") {
      return AnyLayer(Activation{{.activation = "celu", .alpha = to.real(node, "alpha", 1)}});
    }
    if (op == "HardSigmoid") {
      const double alpha = to.real(node, "alpha", 0.2), beta = to.real(node, "beta", 0.5);
      if (std::abs(beta - 0.5) > 1e-6) return {};
      if (std::abs(alpha - 0.2) < 1e-6) return named("keras2_hard_sigmoid");
      if (std::abs(alpha - 1.0 / 6) < 1e-6) return named("hard_sigmoid");
      return {};
    }
    if (op == "Selu") {
      const bool plain = std::abs(to.real(node, "alpha", 1.67326) - 1.67326) < 1e-4 &&
                         std::abs(to.real(node, "gamma", 1.0507) - 1.0507) < 1e-4;
      return plain ? std::optional(named("selu")) : std::nullopt;
    }
    if (op == "Gelu") {
      return AnyLayer(Activation{
          {.activation = "gelu", .approximate = to.text(node, "approximate", "none") == "tanh"}});
    }
    if (op == "HardSwish") return named("hard_silu");
    if (op == "Exp") return named("exponential");
    const std::pair<const char*, const char*> same[] = {
        {"Relu", "relu"},         {"Tanh", "tanh"},         {"Sigmoid", "sigmoid"},
        {"Softplus", "softplus"}, {"Softsign", "softsign"}, {"Mish", "mish"}};
    for (const auto& [theirs, ours] : same) {
      if (op == theirs) return named(ours);
    }
    return {};
  }();
  if (!made || x->has(Role::directions)) {
    return to.trouble(node, "its numbers are those of no activation here");
  }
  to.like(node, *x, to.call(*made, {x->node}));
}

void read_clip(Foreign& to, const Node& node) {
  const Traced* x = to.traced(node, 0);
  if (!x) return;
  const auto limit = [&](const char* name, std::size_t input, double otherwise) {
    if (const auto* data = to.constant(node, input)) {
      const auto values = to.reals(*data);
      return values.size() == 1 ? values[0] : otherwise;
    }
    return to.real(node, name, otherwise);
  };
  const double least = limit("min", 1, -1e38), most = limit("max", 2, 1e38);
  if (least == -1 && most == 1) {
    return to.like(node, *x, to.call(AnyLayer(Activation{{.activation = "hard_tanh"}}), {x->node}));
  }
  if (least != 0 || !(most > 0)) return to.trouble(node, "only from 0 on, or -1 to 1, is cut");
  to.like(node, *x, to.call(AnyLayer(ReLU{{.max_value = most}}), {x->node}));
}

void read_softmax(Foreign& to, const Node& node) {
  const Traced* x = to.traced(node, 0);
  if (!x) return;
  auto axis = to.integer(node, "axis", -1);
  if (axis < 0) axis += static_cast<std::int64_t>(x->axes.size());
  const bool known = axis >= 0 && axis < static_cast<std::int64_t>(x->axes.size());
  const auto role = known ? x->axes[static_cast<std::size_t>(axis)] : Role::one;
  const bool log = node.op == "LogSoftmax";
  if (role == Role::features && !x->has(Role::directions)) {
    const char* name = log ? "log_softmax" : "softmax";
    return to.like(node, *x, to.call(AnyLayer(Activation{{.activation = name}}), {x->node}));
  }
  if (role == Role::time && !log) {
    return to.like(node, *x, to.call(AnyLayer(Softmax{{.axis = 1}}), {x->node}));
  }
  to.trouble(node, "only over features or steps");
}

/// All inputs of a node and what they are together; false, and told, where their axes differ.
bool read_alike(Foreign& to, const Node& node, std::vector<Functional::Node>& inputs, Traced& y) {
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const Traced* x = to.traced(node, i);
    if (!x) return false;
    if (i > 0 && x->axes != y.axes) {
      to.trouble(node, "its inputs have not the same axes");
      return false;
    }
    inputs.push_back(x->node);
    if (i == 0) y = *x;
    y.inputs.insert(x->inputs.begin(), x->inputs.end());
  }
  return true;
}

void read_merge(Foreign& to, const Node& node) {
  std::vector<Functional::Node> inputs;
  Traced y;
  if (!read_alike(to, node, inputs, y)) return;
  if (inputs.size() < 2 || y.has(Role::directions)) {
    return to.trouble(node, "two tensors of the same axes are wanted");
  }
  const auto layer = node.op == "Add"   ? AnyLayer(Add{})
                     : node.op == "Sub" ? AnyLayer(Subtract{})
                     : node.op == "Mul" ? AnyLayer(Multiply{})
                     : node.op == "Max" ? AnyLayer(Maximum{})
                                        : AnyLayer(Minimum{});
  to.like(node, y, to.call(layer, inputs));
}

void read_concat(Foreign& to, const Node& node) {
  std::vector<Functional::Node> inputs;
  Traced y;
  if (!read_alike(to, node, inputs, y)) return;
  auto axis = to.integer(node, "axis", 0);
  if (axis < 0) axis += static_cast<std::int64_t>(y.axes.size());
  const bool known = axis >= 0 && axis < static_cast<std::int64_t>(y.axes.size());
  const auto role = known ? y.axes[static_cast<std::size_t>(axis)] : Role::one;
  if (inputs.empty() || y.has(Role::directions) || (role != Role::features && role != Role::time)) {
    return to.trouble(node, "only features or steps are joined");
  }
  const Concatenate layer{{.axis = role == Role::time ? 1 : -1}};
  to.like(node, y, to.call(AnyLayer(layer), inputs));
}

}  // namespace maskgrad::onnx
