#include <maskgrad/layers/layer/options.hpp>
#include <maskgrad/layers/model/functional.hpp>
#include <maskgrad/layers/model/sequential.hpp>
#include <maskgrad/layers/onnx/containers.hpp>
#include <maskgrad/layers/onnx/table.hpp>

namespace maskgrad::onnx {
namespace {

Values through_sequential(Exporter& to, AnyLayer& layer, const Values& inputs) {
  Values x = inputs;
  bool first = true;
  Sequential::each_layer(*layer.as<Sequential>(), [&](auto&&, AnyLayer& next) {
    if (!first) x.resize(1);  // the next one takes the first result
    first = false;
    x = to.call(next, x);
  });
  return x;
}

std::vector<std::int64_t> numbers_of(extend::OptionReader& reader, const char* name) {
  std::vector<std::int64_t> numbers;
  reader(name, numbers);
  return numbers;
}

Values through_functional(Exporter& to, AnyLayer& layer, const Values& inputs) {
  auto& model = *layer.as<Functional>();
  const FunctionalGraph graph = graph_of(layer);
  std::vector<Values> made;
  for (const auto& x : inputs) made.push_back({x});
  const auto take = [&](const std::vector<std::int64_t>& numbers) {
    Values values;
    for (std::size_t i = 0; i + 1 < numbers.size(); i += 2) {
      values.push_back(made.at(static_cast<std::size_t>(numbers[i]))
                           .at(static_cast<std::size_t>(numbers[i + 1])));
    }
    return values;
  };
  for (const auto& call : graph.calls) {
    made.push_back(to.call(model.layer(call.layer), take(call.inputs)));
  }
  return take(graph.outputs);
}

}  // namespace

FunctionalGraph graph_of(const AnyLayer& layer) {
  extend::OptionWriter writer;
  layer.write_options(writer);
  extend::OptionReader reader(Functional::kind, writer.part());
  FunctionalGraph graph;
  std::vector<extend::JsonPart> calls;
  reader("inputs", graph.inputs);
  reader("calls", calls);
  graph.outputs = numbers_of(reader, "outputs");
  for (const auto& part : calls) {
    extend::OptionReader call(Functional::kind, part);
    std::int64_t index = 0;
    call("layer", index);
    graph.calls.push_back({index, numbers_of(call, "inputs")});
  }
  return graph;
}

Walk container(AnyLayer& layer) {
  if (layer.is<Sequential>()) return through_sequential;
  if (layer.is<Functional>()) return through_functional;
  return nullptr;
}

}  // namespace maskgrad::onnx
