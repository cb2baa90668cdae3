#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include <maskgrad/layers/activations/elu.hpp>
#include <maskgrad/layers/activations/leaky_relu.hpp>
#include <maskgrad/layers/activations/prelu.hpp>
#include <maskgrad/layers/activations/relu.hpp>
#include <maskgrad/layers/basic/activation.hpp>
#include <maskgrad/layers/basic/softmax.hpp>
#include <maskgrad/layers/onnx/families.hpp>

namespace maskgrad::onnx {
namespace {

/// x under functions of real numbers, in short.
struct Real {
  const Call& call;
  std::string name;

  Real of(std::string other) const { return {call, std::move(other)}; }
  Real op(const char* f, Attributes attributes = {}) const {
    return of(call.graph.node(f, {name}, std::move(attributes)));
  }
  Real with(const char* f, const std::string& other) const {
    return of(call.graph.node(f, {name, other}));
  }
  Real operator+(double v) const { return with("Add", call.real(v)); }
  Real operator*(double v) const { return with("Mul", call.real(v)); }
  Real operator/(double v) const { return with("Div", call.real(v)); }
  Real operator+(const Real& o) const { return with("Add", o.name); }
  Real operator-(const Real& o) const { return with("Sub", o.name); }
  Real operator*(const Real& o) const { return with("Mul", o.name); }
  Real cut(double least, double most) const {
    return with("Max", call.real(least)).with("Min", call.real(most));
  }
};

Real leaky(const Real& x, double slope) {
  return x.op("LeakyRelu", {attribute("alpha", slope)});
}
Real hard_sigmoid_of(const Real& x, double slope) {
  return (x * slope + 0.5).cut(0, 1);
}
Real gelu_of(const Real& x, bool approximate) {
  if (!approximate) return x * ((x / std::numbers::sqrt2).op("Erf") + 1) * 0.5;
  const Real bent = (x + x * x * x * 0.044715) * 0.7978845608028654;
  return x * (bent.op("Tanh") + 1) * 0.5;
}
Real shrunk(const Real& x, double threshold, bool soft) {
  return x.op("Shrink", {attribute("lambd", threshold), attribute("bias", soft ? threshold : 0.0)});
}
Real elu_of(const Real& x, double alpha) {
  return x.op("Elu", {attribute("alpha", alpha)});
}
Real celu_of(const Real& x, double alpha) {
  return elu_of(x / alpha, 1) * alpha;
}

/// Keras's relu: max_value from there on, slope (x - threshold) below the threshold.
Real relu_of(const Real& x, double slope, double max_value, double threshold) {
  auto& g = x.call.graph;
  if (threshold == 0 && slope == 0 && std::isinf(max_value)) return x.op("Relu");
  Real y = slope == 0 ? x.of(x.call.real(0)) : (x + -threshold) * slope;
  const Real above = std::isinf(max_value) ? x : x.with("Min", x.call.real(max_value));
  const auto over = g.node("GreaterOrEqual", {x.name, x.call.real(threshold)});
  return x.of(g.where(over, above.name, y.name));
}

Real sparse_plus_of(const Real& x) {
  auto& g = x.call.graph;
  const Real square = (x + 1) * (x + 1) * 0.25;
  const auto above = g.where(g.node("Less", {x.name, x.call.real(1)}), square.name, x.name);
  return x.of(g.where(g.node("Less", {x.name, x.call.real(-1)}), x.call.real(0), above));
}

struct Named {
  std::string_view name;
  Real (*f)(const Real& x);
};
constexpr Named functions[] = {
    {"celu", [](const Real& x) { return celu_of(x, 1); }},
    {"elu", [](const Real& x) { return elu_of(x, 1); }},
    {"exponential", [](const Real& x) { return x.op("Exp"); }},
    {"gelu", [](const Real& x) { return gelu_of(x, false); }},
    {"hard_shrink", [](const Real& x) { return shrunk(x, 0.5, false); }},
    {"hard_sigmoid", [](const Real& x) { return hard_sigmoid_of(x, 1.0 / 6); }},
    {"hard_silu", [](const Real& x) { return x * hard_sigmoid_of(x, 1.0 / 6); }},
    {"hard_swish", [](const Real& x) { return x * hard_sigmoid_of(x, 1.0 / 6); }},
    {"hard_tanh", [](const Real& x) { return x.cut(-1, 1); }},
    {"keras2_hard_sigmoid", [](const Real& x) { return hard_sigmoid_of(x, 0.2); }},
    {"leaky_relu", [](const Real& x) { return leaky(x, 0.2); }},
    {"linear", [](const Real& x) { return x; }},
    {"log_sigmoid", [](const Real& x) { return x.op("Neg").op("Softplus").op("Neg"); }},
    {"log_softmax", [](const Real& x) { return x.op("LogSoftmax", {attribute("axis", -1)}); }},
    {"mish", [](const Real& x) { return x * x.op("Softplus").op("Tanh"); }},
    {"relu", [](const Real& x) { return x.op("Relu"); }},
    {"relu6", [](const Real& x) { return x.cut(0, 6); }},
    {"selu",
     [](const Real& x) {
       return x.op("Selu", {attribute("alpha", 1.6732632423543772),
                            attribute("gamma", 1.0507009873554805)});
     }},
    {"sigmoid", [](const Real& x) { return x.op("Sigmoid"); }},
    {"silu", [](const Real& x) { return x * x.op("Sigmoid"); }},
    {"soft_shrink", [](const Real& x) { return shrunk(x, 0.5, true); }},
    {"softmax", [](const Real& x) { return x.op("Softmax", {attribute("axis", -1)}); }},
    {"softplus", [](const Real& x) { return x.op("Softplus"); }},
    {"softsign", [](const Real& x) { return x.op("Softsign"); }},
    {"sparse_plus", sparse_plus_of},
    {"squareplus", [](const Real& x) { return ((x * x + 4).op("Sqrt") + x) * 0.5; }},
    {"swish", [](const Real& x) { return x * x.op("Sigmoid"); }},
    {"tanh", [](const Real& x) { return x.op("Tanh"); }},
    {"tanh_shrink", [](const Real& x) { return x - x.op("Tanh"); }},
};

Real with_options(const Real& x, const ActivationOptions& o) {
  const auto& name = o.activation;
  if (name == "relu") {
    constexpr double none = std::numeric_limits<double>::infinity();
    return relu_of(x, o.negative_slope.value_or(0), o.max_value.value_or(none),
                   o.threshold.value_or(0));
  }
  if (o.negative_slope) return leaky(x, *o.negative_slope);
  if (o.threshold) return shrunk(x, *o.threshold, name == "soft_shrink");
  if (o.alpha) return name == "elu" ? elu_of(x, *o.alpha) : celu_of(x, *o.alpha);
  if (o.approximate) return gelu_of(x, *o.approximate);
  return {x.call, activated(x.call, x.name, name)};
}

}  // namespace

std::string activated(const Call& call, const std::string& x, const std::string& name) {
  for (const auto& row : functions) {
    if (row.name == name) return row.f({call, x}).name;
  }
  call.refuse(fmt::format("the activation '{}' has no form in ONNX here", name), "another one");
  return x;
}

std::string softmax_over(const Call& call, const Value& x, Sizes axes, bool log) {
  auto& g = call.graph;
  for (auto& axis : axes) axis = axis < 0 ? axis + x.rank() : axis;
  std::sort(axes.begin(), axes.end());
  const bool crosses = x.mask && axes.front() < x.mask->rank;
  if (!crosses && axes.size() == 1) {
    return g.node(log ? "LogSoftmax" : "Softmax", {x.name}, {attribute("axis", axes[0])});
  }
  const auto there = crosses ? call.to.valid(x, x.rank()) : "";
  const auto read = crosses ? call.to.filled(x, g.least(x.dtype())) : x.name;
  const auto moved = g.node("Sub", {read, g.reduce("ReduceMax", read, axes, true)});
  auto parts = g.node("Exp", {moved});
  if (crosses) parts = g.where(there, parts, call.real(0));
  const auto sum = g.reduce("ReduceSum", parts, axes, true);
  if (log) return g.node("Sub", {moved, g.node("Log", {sum})});
  // Of nothing the sum is 0, as each part is.
  return g.node(
      "Div",
      {parts, crosses ? g.where(g.node("Greater", {sum, call.real(0)}), sum, call.real(1)) : sum});
}

Values write_activation(const Call& call) {
  const auto& o = call.layer.as<Activation>()->options();
  const Value& x = call.x();
  if (o.activation == "softmax" || o.activation == "log_softmax") {
    return call.only(softmax_over(call, x, {-1}, o.activation == "log_softmax"), x.mask);
  }
  return call.only(with_options({call, x.name}, o).name, x.mask);
}

Values write_relu(const Call& call) {
  const auto& o = call.layer.as<ReLU>()->options();
  constexpr double none = std::numeric_limits<double>::infinity();
  const Real y =
      relu_of({call, call.x().name}, o.negative_slope, o.max_value.value_or(none), o.threshold);
  return call.only(y.name, call.x().mask);
}
Values write_leaky_relu(const Call& call) {
  const auto slope = call.layer.as<LeakyReLU>()->options().negative_slope;
  return call.only(leaky({call, call.x().name}, slope).name, call.x().mask);
}
Values write_elu(const Call& call) {
  const auto alpha = call.layer.as<ELU>()->options().alpha;
  return call.only(elu_of({call, call.x().name}, alpha).name, call.x().mask);
}
Values write_prelu(const Call& call) {
  return call.only(call.graph.node("PRelu", {call.x().name, call.put("alpha")}), call.x().mask);
}

Values write_softmax(const Call& call) {
  const auto& axes = call.layer.as<Softmax>()->options().axis.values;
  return call.only(softmax_over(call, call.x(), axes), call.x().mask);
}

}  // namespace maskgrad::onnx
