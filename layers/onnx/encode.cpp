#include <maskgrad/core/error.hpp>
#include <maskgrad/layers/onnx/format.hpp>
#include <maskgrad/layers/onnx/wire.hpp>

// Field numbers are those of onnx.proto.

namespace maskgrad::onnx {
namespace {

WireWriter encoded(const TensorData& tensor) {
  WireWriter out;
  for (const auto size : tensor.dims) out.integer(1, size);
  out.integer(2, tensor.type);
  out.text(8, tensor.name);
  out.text(9, tensor.raw);
  return out;
}

WireWriter encoded(const Graph& graph);

WireWriter encoded(const Attribute& a) {
  WireWriter out;
  out.text(1, a.name);
  if (a.kind == Attribute::real) out.real(2, a.f);
  if (a.kind == Attribute::integer) out.integer(3, a.i);
  if (a.kind == Attribute::text) out.text(4, a.s);
  if (a.kind == Attribute::tensor) out.message(5, encoded(a.t));
  if (a.kind == Attribute::graph) out.message(6, encoded(*a.g));
  for (const float f : a.floats) out.real(7, f);
  for (const auto i : a.ints) out.integer(8, i);
  for (const auto& s : a.strings) out.text(9, s);
  out.integer(20, a.strings.empty() ? a.kind : 8);
  return out;
}

WireWriter encoded(const Node& node) {
  WireWriter out;
  for (const auto& name : node.inputs) out.text(1, name);
  for (const auto& name : node.outputs) out.text(2, name);
  out.text(3, node.name);
  out.text(4, node.op);
  for (const auto& a : node.attributes) out.message(5, encoded(a));
  if (!node.domain.empty()) out.text(7, node.domain);
  return out;
}

WireWriter encoded(const ValueInfo& value) {
  WireWriter shape;
  for (const auto& axis : value.axes) {
    WireWriter dim;
    if (axis.size >= 0) {
      dim.integer(1, axis.size);
    } else if (!axis.name.empty()) {
      dim.text(2, axis.name);
    }
    shape.message(1, dim);
  }
  WireWriter tensor, type, out;
  tensor.integer(1, value.type);
  tensor.message(2, shape);
  type.message(1, tensor);
  out.text(1, value.name);
  out.message(2, type);
  return out;
}

WireWriter encoded(const Graph& graph) {
  WireWriter out;
  for (const auto& node : graph.nodes) out.message(1, encoded(node));
  out.text(2, graph.name);
  for (const auto& tensor : graph.initializers) out.message(5, encoded(tensor));
  for (const auto& value : graph.inputs) out.message(11, encoded(value));
  for (const auto& value : graph.outputs) out.message(12, encoded(value));
  return out;
}

}  // namespace

std::string encode(const Model& model, std::string_view where) {
  constexpr std::size_t most = (std::size_t{1} << 31) - 1;
  std::size_t weights = 0;
  for (const auto& tensor : model.graph.initializers) weights += tensor.raw.size();
  WireWriter out;
  if (weights < most) {
    out.integer(1, model.ir_version);
    out.text(2, model.producer);
    out.text(3, model.producer_version);
    out.message(7, encoded(model.graph));
    WireWriter opset;
    opset.text(1, "");
    opset.integer(2, model.opset);
    out.message(8, opset);
    for (const auto& [key, value] : model.metadata) {
      WireWriter entry;
      entry.text(1, key);
      entry.text(2, value);
      out.message(14, entry);
    }
    if (out.bytes().size() <= most) return out.bytes();
  }
  fail<OptionError>(where,
                    "the model has {} bytes of weights; one ONNX file holds at most 2 GiB. Write "
                    "it in f32, or its parts by themselves",
                    weights);
}

}  // namespace maskgrad::onnx
