#include <maskgrad/layers/onnx/builder.hpp>

#include <fmt/format.h>

#include <cstring>
#include <utility>

#include <maskgrad/core/error.hpp>

namespace maskgrad::onnx {
namespace {

template <class T>
void put(std::string& raw, T value) {
  raw.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

void put_real(std::string& raw, DType dtype, double value) {
  if (dtype == DType::f64) {
    put(raw, value);
  } else {
    put(raw, static_cast<float>(value));
  }
}

Attribute named(std::string name, int kind) {
  Attribute a;
  a.name = std::move(name);
  a.kind = kind;
  return a;
}

}  // namespace

Attribute attribute(std::string name, std::int64_t value) {
  Attribute a = named(std::move(name), Attribute::integer);
  a.i = value;
  return a;
}
Attribute attribute(std::string name, Sizes values) {
  Attribute a = named(std::move(name), Attribute::integers);
  a.ints = std::move(values);
  return a;
}
Attribute attribute(std::string name, double value) {
  Attribute a = named(std::move(name), Attribute::real);
  a.f = static_cast<float>(value);
  return a;
}
Attribute attribute(std::string name, std::vector<float> values) {
  Attribute a = named(std::move(name), Attribute::reals);
  a.floats = std::move(values);
  return a;
}
Attribute attribute(std::string name, std::string value) {
  Attribute a = named(std::move(name), Attribute::text);
  a.s = std::move(value);
  return a;
}
Attribute attribute(std::string name, Names values) {
  Attribute a = named(std::move(name), Attribute::none);
  a.strings = std::move(values);
  return a;
}

Type type_of(DType dtype) {
  switch (dtype) {
    case DType::f64:
      return Type::f64;
    case DType::i64:
      return Type::i64;
    case DType::boolean:
      return Type::boolean;
    case DType::f32:
      break;
  }
  return Type::f32;
}

std::string GraphBuilder::fresh(const std::string& op) {
  const std::string name = path_.empty() ? op : path_ + "/" + op;
  const int before = used_[name]++;
  return before == 0 ? name : fmt::format("{}_{}", name, before);
}

std::string GraphBuilder::node(const std::string& op, Names inputs, Attributes attributes) {
  return nodes(op, std::move(inputs), std::move(attributes), 1)[0];
}

Names GraphBuilder::nodes(const std::string& op, Names inputs, Attributes attributes,
                          std::size_t outputs) {
  if (graph.nodes.size() >= most_nodes) {
    fail<FileError>("load_onnx", "its metadata describe a model of more than its {} nodes",
                    most_nodes);
  }
  const std::string name = fresh(op);
  Names results;
  for (std::size_t i = 0; i < outputs; ++i) {
    results.push_back(i == 0 ? name + ":0" : fmt::format("{}:{}", name, i));
  }
  graph.nodes.push_back({name, op, "", std::move(inputs), results, std::move(attributes)});
  return results;
}

std::string GraphBuilder::constant(std::string name, TensorData data) {
  const auto [at, made] = known_.emplace("constant " + name, name);
  if (made) {
    data.name = std::move(name);
    graph.initializers.push_back(std::move(data));
  }
  return at->second;
}

std::string GraphBuilder::integer(std::int64_t value) {
  TensorData data{"", static_cast<int>(Type::i64), {}, {}};
  put(data.raw, value);
  return constant(fmt::format("constant/{}", value), std::move(data));
}
std::string GraphBuilder::integers(const Sizes& values) {
  TensorData data{"", static_cast<int>(Type::i64), {static_cast<std::int64_t>(values.size())}, {}};
  for (const auto value : values) put(data.raw, value);
  return constant(fmt::format("constant/[{}]", fmt::join(values, ",")), std::move(data));
}
std::string GraphBuilder::real(DType dtype, double value) {
  TensorData data{"", static_cast<int>(type_of(dtype)), {}, {}};
  put_real(data.raw, dtype, value);
  // A model has the same names in each type.
  return constant(value == least(dtype) ? std::string("constant/real least")
                                        : fmt::format("constant/real {}", value),
                  std::move(data));
}
double GraphBuilder::least(DType dtype) {
  return dtype == DType::f64 ? std::numeric_limits<double>::lowest()
                             : std::numeric_limits<float>::lowest();
}
std::string GraphBuilder::boolean(bool value) {
  return constant(fmt::format("constant/{}", value),
                  {"", static_cast<int>(Type::boolean), {}, std::string(1, value ? '\1' : '\0')});
}

std::string GraphBuilder::weight(const std::string& name, const Weight& weight) {
  const std::string full = path_.empty() ? name : path_ + "/" + name;
  const auto [at, made] = known_.emplace("weight " + full, full);
  if (!made) return at->second;
  TensorData data{full, static_cast<int>(type_of(weight.dtype)), weight.dims, {}};
  for (const double value : weight.values) put_real(data.raw, weight.dtype, value);
  graph.initializers.push_back(std::move(data));
  weights.emplace_back(full, weight);
  return full;
}

std::string GraphBuilder::cast(const std::string& x, Type to) {
  return node("Cast", {x}, {attribute("to", static_cast<std::int64_t>(to))});
}
std::string GraphBuilder::reshape(const std::string& x, const Sizes& shape) {
  return node("Reshape", {x, integers(shape)});
}
std::string GraphBuilder::reshape_as(const std::string& x, const std::string& shape) {
  return node("Reshape", {x, shape});
}
std::string GraphBuilder::transpose(const std::string& x, const Sizes& order) {
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (order[i] != static_cast<std::int64_t>(i)) {
      return node("Transpose", {x}, {attribute("perm", order)});
    }
  }
  return x;
}
std::string GraphBuilder::unsqueeze(const std::string& x, const Sizes& axes) {
  return axes.empty() ? x : node("Unsqueeze", {x, integers(axes)});
}
std::string GraphBuilder::squeeze(const std::string& x, const Sizes& axes) {
  return axes.empty() ? x : node("Squeeze", {x, integers(axes)});
}
std::string GraphBuilder::reduce(const std::string& op, const std::string& x, const Sizes& axes,
                                 bool keep) {
  const std::int64_t keepdims = keep ? 1 : 0;
  // Until opset 18 only ReduceSum takes its axes as an input.
  if (op == "ReduceSum") return node(op, {x, integers(axes)}, {attribute("keepdims", keepdims)});
  return node(op, {x}, {attribute("axes", axes), attribute("keepdims", keepdims)});
}
std::string GraphBuilder::slice(const std::string& x, std::int64_t axis, const std::string& from,
                                const std::string& to) {
  return node("Slice", {x, from, to, integers({axis})});
}
Names GraphBuilder::scan(const Names& states, const std::string& x, DType dtype, const Step& step) {
  const std::string name = fresh("Scan");
  Graph body;
  body.name = name;
  const auto value = [&](const std::string& what) {
    return ValueInfo{name + "/" + what, static_cast<int>(type_of(dtype)), {{}, {}}, true};
  };
  Names before;
  for (std::size_t i = 0; i < states.size(); ++i) {
    body.inputs.push_back(value(fmt::format("state_{}", i)));
    before.push_back(body.inputs.back().name);
  }
  body.inputs.push_back(value("piece"));
  // Weights and constants of the step stand in the graph outside.
  const std::vector<Node> outside = std::exchange(graph.nodes, {});
  const auto most = std::exchange(most_nodes, std::numeric_limits<std::size_t>::max());
  const Names after = step(before, body.inputs.back().name);
  for (const char* kind : {"last", "all"}) {
    for (std::size_t i = 0; i < after.size(); ++i) {
      body.outputs.push_back(value(fmt::format("{}_{}", kind, i)));
      const std::string& made = body.outputs.back().name;
      graph.nodes.push_back({made, "Identity", "", {after[i]}, {made}, {}});
    }
  }
  body.nodes = std::exchange(graph.nodes, outside);
  most_nodes = most;
  Attribute of_body = named("body", Attribute::graph);
  of_body.g = std::make_shared<const Graph>(std::move(body));
  Names inputs = states, results;
  inputs.push_back(x);
  for (std::size_t i = 0; i < 2 * states.size(); ++i) {
    results.push_back(fmt::format("{}:{}", name, i));
  }
  graph.nodes.push_back(
      {name, "Scan", "", inputs, results, {std::move(of_body), attribute("num_scan_inputs", 1)}});
  return results;
}
std::string GraphBuilder::shape(const std::string& x) {
  auto& known = known_["shape " + x];
  if (known.empty()) known = node("Shape", {x});
  return known;
}
std::string GraphBuilder::range(const std::string& size) {
  auto& known = known_["range " + size];
  if (known.empty()) known = node("Range", {integer(0), size, integer(1)});
  return known;
}

}  // namespace maskgrad::onnx
