#include <maskgrad/layers/onnx/exporter.hpp>

#include <fmt/format.h>

#include <maskgrad/layers/onnx/table.hpp>

namespace maskgrad::onnx {
namespace {

Tensors metas_of(const Values& values) {
  Tensors metas;
  for (const auto& v : values) metas.push_back(v.meta);
  return metas;
}

}  // namespace

Values Exporter::call(AnyLayer& layer, const Values& inputs) {
  if (const auto inside = container(layer)) return inside(*this, layer, inputs);
  const Tensors metas = layer.call(metas_of(inputs));
  const std::string before = graph.path();
  graph.enter(layer.info().path);
  const Call call{*this, graph, layer, inputs, metas};
  const Row* row = row_of(layer.kind());
  Values results;
  if (!row) {
    results = call.refuse("its class is none of this library's",
                          "layers of the library in its place; by itself it can be run by this "
                          "library alone");
  } else if (!row->write) {
    results = call.refuse(std::string(row->why), std::string(row->ways_out));
  } else {
    results = row->write(call);
  }
  graph.enter(before);
  return results;
}

const Parameter* Call::find(const std::string& name) const {
  const Parameter* found = nullptr;
  bool own = true;
  layer.visit(layer.info().path, [&](const detail::LayerView& view) {
    if (!own) return;
    own = false;
    for (const auto& [path, p] : view.parameters) {
      if (path == detail::join_path(layer.info().path, name)) found = p;
    }
  });
  return found;
}

Weight Call::weight(const std::string& name) const {
  const Parameter* found = find(name);
  if (!found || !found->defined()) {
    fail<StateError>("save_onnx", "{} '{}' has no weight '{}'; build the model first: build(Spec)",
                     layer.kind(), layer.info().path, name);
  }
  return weight_of(*found);
}

Value Call::result(std::string name, MaskRef mask, std::size_t i, bool clean) const {
  Value value{std::move(name), metas[i], nullptr, clean};
  if (!metas[i].has_mask()) return value;
  value.mask = std::move(mask);
  if (!value.mask || value.mask->rank != metas[i].mask().rank()) {
    refuse(fmt::format("its result {} goes out without that mask", metas[i].describe()),
           "a mask over whole steps");
  }
  return value;
}

Values Call::refuse(const std::string& why, const std::string& ways_out) const {
  to.troubles.push_back(
      fmt::format("{} '{}': {}; ways out: {}", layer.kind(), layer.info().path, why, ways_out));
  Values nothing;
  for (const auto& meta : metas) {
    auto mask = meta.has_mask() ? std::make_shared<MaskNames>() : nullptr;
    if (mask) *mask = {.rank = meta.mask().rank(), .lengths = "-", .valid = "-", .steps_of = "-"};
    nothing.push_back({"-", meta, std::move(mask)});
  }
  return nothing;
}

}  // namespace maskgrad::onnx
