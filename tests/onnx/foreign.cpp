#include "onnx/foreign.hpp"

#include <maskgrad/core/random.hpp>
#include <maskgrad/layers/onnx/builder.hpp>

namespace maskgrad::tests {
namespace in_onnx_foreign {

using namespace onnx;

/// A graph of one input, whose weights are drawn.
class Drawn {
 public:
  GraphBuilder g;

  explicit Drawn(std::vector<Axis> input, Type type = Type::f32) {
    g.graph.inputs.push_back({"x", static_cast<int>(type), std::move(input), true});
  }
  std::string weight(const std::string& name, Sizes dims) {
    Weight w = constant_weight(DType::f32, std::move(dims), 0);
    for (auto& v : w.values) v = 1.2 * random::unit_at({3}, next_++) - 0.6;
    return g.weight(name, w);
  }
  std::string positive(const std::string& name, std::int64_t size) {
    Weight w = constant_weight(DType::f32, {size}, 0);
    for (auto& v : w.values) v = 0.5 + random::unit_at({3}, next_++);
    return g.weight(name, w);
  }
  void lengths() {
    g.graph.inputs.push_back({"lengths", static_cast<int>(Type::i32), {{-1, "batch"}}, true});
  }
  void output(const std::string& name, const std::string& value, std::vector<Axis> axes) {
    g.graph.nodes.push_back({name, "Identity", "", {value}, {name}, {}});
    g.graph.outputs.push_back({name, static_cast<int>(Type::f32), std::move(axes), true});
  }
  Model model() {
    Model model;
    model.producer = "another";
    model.graph = std::move(g.graph);
    model.graph.name = "graph";
    model.metadata["title"] = "a file of another exporter";
    return model;
  }

 private:
  std::uint64_t next_ = 0;
};

const Axis batch_axis{-1, "batch"}, time_axis{-1, "time"};

// nn.GRU and nn.Linear over [time, batch, features].
ForeignFile gru(bool lengths) {
  Drawn d({time_axis, batch_axis, {3}});
  auto& g = d.g;
  if (lengths) d.lengths();
  const auto y = g.nodes("GRU",
                         {"x", d.weight("W", {1, 12, 3}), d.weight("R", {1, 12, 4}),
                          d.weight("B", {1, 24}), lengths ? "lengths" : ""},
                         {attribute("hidden_size", 4), attribute("linear_before_reset", 1)}, 2);
  const auto all = g.squeeze(y[0], {1});
  // Of the masked ones the operator gives 0 behind a sequence, as is read here.
  const auto logits = g.node("MatMul", {all, d.weight("w", {4, 2})});
  d.output("y", lengths ? logits : g.node("Add", {d.weight("b", {2}), logits}),
           {time_axis, batch_axis, {2}});
  d.output("state",
           g.node("Gemm", {g.squeeze(y[1], {0}), d.weight("v", {3, 4}), d.weight("c", {3})},
                  {attribute("transB", 1)}),
           {batch_axis, {3}});
  return {lengths ? "GRU with lengths" : "GRU", d.model(), "TBF", {"TBF", "BF"}, lengths};
}

// nn.LSTM(batch_first, bidirectional), its last states side by side.
ForeignFile lstm() {
  Drawn d({batch_axis, time_axis, {3}});
  auto& g = d.g;
  const auto y = g.nodes("LSTM",
                         {g.transpose("x", {1, 0, 2}), d.weight("W", {2, 8, 3}),
                          d.weight("R", {2, 8, 2}), d.weight("B", {2, 16})},
                         {attribute("hidden_size", 2), attribute("direction", "bidirectional")}, 3);
  const auto merged = g.reshape(g.transpose(y[0], {0, 2, 1, 3}), {0, 0, -1});
  const auto steps = g.node("MatMul", {g.transpose(merged, {1, 0, 2}), d.weight("w", {4, 2})});
  d.output("y", g.node("LogSoftmax", {steps}, {attribute("axis", -1)}),
           {batch_axis, time_axis, {2}});
  const auto half = [&](std::int64_t i) {
    const auto one = g.slice(y[1], 0, g.integers({i}), g.integers({i + 1}));
    return g.squeeze(one, {0});
  };
  const auto last = g.node("Gather", {y[2], g.integer(1)}, {attribute("axis", 0)});
  const auto both = g.concat({half(0), half(1), last}, 1);
  d.output("states", g.node("Tanh", {both}), {batch_axis, {6}});
  return {"bidirectional LSTM", d.model(), "BTF", {"BTF", "BF"}};
}

ForeignFile convolutions() {
  Drawn d({batch_axis, {3}, time_axis});
  auto& g = d.g;
  auto y = g.node("Conv", {"x", d.weight("k", {4, 3, 3}), d.weight("kb", {4})},
                  {attribute("pads", Sizes{1, 1}), attribute("kernel_shape", Sizes{3})});
  y = g.node("BatchNormalization",
             {y, d.weight("gamma", {4}), d.weight("beta", {4}), d.weight("mean", {4}),
              d.positive("variance", 4)},
             {attribute("epsilon", 1e-3)});
  y = g.node("Clip", {g.node("LeakyRelu", {y}, {attribute("alpha", 0.1)}), g.real(DType::f32, 0),
                      g.real(DType::f32, 2)});
  y = g.node(
      "Conv", {y, d.weight("k2", {4, 2, 3})},
      {attribute("pads", Sizes{1, 1}), attribute("strides", Sizes{2}), attribute("group", 2)});
  y = g.node("MaxPool", {y}, {attribute("kernel_shape", Sizes{2}), attribute("strides", Sizes{1})});
  d.output("steps", y, {batch_axis, {4}, {}});
  y = g.node("Flatten", {g.node("GlobalAveragePool", {y})}, {attribute("axis", 1)});
  y = g.node("Gemm", {y, d.weight("w", {4, 2})});
  d.output("y", g.node("Sigmoid", {y}), {batch_axis, {2}});
  return {"convolutions", d.model(), "BFT", {"BFT", "BF"}};
}

ForeignFile words() {
  Drawn d({batch_axis, time_axis}, Type::i64);
  auto& g = d.g;
  const auto rows = g.node("Gather", {d.weight("table", {5, 3}), "x"});
  const auto y = g.nodes(
      "RNN", {g.transpose(rows, {1, 0, 2}), d.weight("W", {1, 4, 3}), d.weight("R", {1, 4, 4})},
      {attribute("hidden_size", 4), attribute("direction", "reverse"),
       attribute("activations", Names{"Softsign"})},
      2);
  const auto steps = g.transpose(g.squeeze(y[0], {1}), {1, 0, 2});
  const auto normal =
      g.node("LayerNormalization", {steps, d.weight("gamma", {4}), d.weight("beta", {4})},
             {attribute("axis", -1), attribute("epsilon", 1e-3)});
  const auto sum = g.node("Add", {normal, steps});
  d.output("y", g.reduce("ReduceMax", sum, {1}, false), {batch_axis, {4}});
  d.output("last", g.node("Gather", {sum, g.integer(-1)}, {attribute("axis", 1)}),
           {batch_axis, {4}});
  return {"a table of words", d.model(), "BT", {"BF", "BF"}};
}

ForeignFile flattened() {
  Drawn d({batch_axis, {3}, {5}});
  auto& g = d.g;
  const auto y =
      g.node("Conv", {"x", d.weight("k", {2, 3, 2})}, {attribute("auto_pad", "SAME_UPPER")});
  const auto flat = g.reshape(g.node("Relu", {y}), {0, -1});
  d.output("y", g.node("Gemm", {flat, d.weight("w", {10, 3})}), {batch_axis, {3}});
  return {"flattened", d.model(), "BFT", {"BF"}};
}

}  // namespace in_onnx_foreign

std::vector<ForeignFile> foreign_files() {
  using namespace in_onnx_foreign;
  return {gru(false), gru(true), lstm(), convolutions(), words(), flattened()};
}

onnx::Model unread_file() {
  using namespace in_onnx_foreign;
  Drawn d({batch_axis, time_axis, {3}});
  auto& g = d.g;
  const auto y = g.node("Sin", {"x"});
  const auto z = g.node("MatMul", {"x", d.weight("w", {3, 2})});
  d.output("y", g.node("Cos", {z}), {batch_axis, time_axis, {2}});
  d.output("z", y, {batch_axis, time_axis, {3}});
  return d.model();
}

}  // namespace maskgrad::tests
