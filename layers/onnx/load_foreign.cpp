#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include <maskgrad/autograd/ops/elementwise/cast.hpp>
#include <maskgrad/core/io/json_limits.hpp>
#include <maskgrad/layers/layer/builder.hpp>
#include <maskgrad/layers/onnx/foreign.hpp>

namespace maskgrad::onnx {

bool Traced::has(Role role) const {
  return axis(role) >= 0;
}
int Traced::axis(Role role) const {
  const auto at = std::find(axes.begin(), axes.end(), role);
  return at == axes.end() ? -1 : static_cast<int>(at - axes.begin());
}

Foreign::Foreign(const File& file) : file_(file) {
  const Graph& graph = file.model.graph;
  for (const auto& data : graph.initializers) constants_.emplace(data.name, &data);
  for (const auto& node : graph.nodes) {
    for (const auto& name : node.inputs) readers_[name].push_back(&node);
    if (node.op == "Constant" && !node.outputs.empty()) {
      const auto* value = find(node, "value");
      if (value) constants_.emplace(node.outputs[0], &value->t);
      done_.insert(&node);
    }
  }
  for (const auto& output : graph.outputs) outputs_.insert(output.name);
}

/// The roles of an input's axes, by the first operator that says what they are.
Roles Foreign::layout_of(const std::string& name, int rank) const {
  using enum Role;
  if (rank == 2) return {batch, features};
  std::vector<std::pair<std::string, std::vector<std::size_t>>> open{{name, {0, 1, 2}}};
  for (std::size_t i = 0; i < open.size() && open.size() < 1000; ++i) {
    const auto [at, order] = open[i];
    const auto readers = readers_.find(at);
    if (readers == readers_.end()) continue;
    for (const auto* node : readers->second) {
      Roles roles;
      const bool first = !node->inputs.empty() && node->inputs[0] == at;
      if (first && (node->op == "RNN" || node->op == "GRU" || node->op == "LSTM")) {
        roles = integer(*node, "layout", 0) == 0 ? Roles{time, batch, features}
                                                 : Roles{batch, time, features};
      } else if (first && (node->op == "Conv" || node->op.ends_with("Pool"))) {
        roles = {batch, features, time};
      } else if (node->op == "MatMul" || node->op == "Gemm") {
        continue;
      }
      if (!roles.empty()) {
        Roles own(3, one);
        for (std::size_t k = 0; k < 3; ++k) own[order[k]] = roles[k];
        return own;
      }
      auto next = order;
      const auto perm = node->op == "Transpose" ? integers(*node, "perm") : std::nullopt;
      if (perm && perm->size() == 3) {
        for (std::size_t k = 0; k < 3; ++k) {
          const auto from = (*perm)[k];
          if (from < 0 || from > 2) return {batch, time, features};
          next[k] = order[static_cast<std::size_t>(from)];
        }
      }
      if (!node->outputs.empty()) open.emplace_back(node->outputs[0], next);
    }
  }
  return {batch, time, features};
}

void Foreign::read_inputs() {
  for (const auto& info : file_.model.graph.inputs) {
    if (constants_.contains(info.name)) continue;  // a weight, as old files list them
    const auto rank = static_cast<int>(info.axes.size());
    const bool ids =
        info.type == static_cast<int>(Type::i64) || info.type == static_cast<int>(Type::i32);
    if (ids && rank == 1) {
      lengths_[info.name] = info.name;
      continue;
    }
    const bool known = (ids || info.type == static_cast<int>(Type::f32) ||
                        info.type == static_cast<int>(Type::f64)) &&
                       rank >= 2 && rank <= (ids ? 2 : 3);
    if (!known) {
      troubles_.push_back(
          fmt::format("the input '{}' is of the ONNX type {} and {} axes; expected "
                      "reals of two or three, ids of two, or lengths of one",
                      info.name, info.type, rank));
      continue;
    }
    Input input{&info, ids ? Roles{Role::batch, Role::time} : layout_of(info.name, rank), ids};
    std::string name = info.name.empty() ? "input" : info.name;
    std::replace(name.begin(), name.end(), '/', '_');
    const auto node = model_.input(name);
    values_[info.name] = {node, input.axes, {static_cast<int>(inputs_.size())}, {}, false};
    inputs_.push_back(std::move(input));
  }
  if (inputs_.empty()) troubles_.emplace_back("it has no input");
  constexpr std::size_t most_inputs = 1000;  // each node knows on which it depends
  const auto most_nodes = static_cast<std::size_t>(JsonLimitsScope::current().layers);
  if (inputs_.size() > most_inputs || file_.model.graph.nodes.size() > most_nodes) {
    file_.refuse(
        {fmt::format("it has {} inputs and {} nodes; at most {} and {} are read (the option "
                     ".limits.layers)",
                     inputs_.size(), file_.model.graph.nodes.size(), most_inputs, most_nodes)});
  }
}

/// Numbers that tell shapes, which nothing here needs.
bool Foreign::about_shapes(const Node& node) {
  if (node.op == "Shape" || node.op == "Size") {
    shapes_.insert(node.outputs.begin(), node.outputs.end());
    return true;
  }
  if (node.op == "Cast" && node.inputs.size() == 1 && lengths_.contains(node.inputs[0])) {
    for (const auto& name : node.outputs) lengths_[name] = lengths_[node.inputs[0]];
    return true;
  }
  bool all = !node.inputs.empty(), some = false;
  for (const auto& name : node.inputs) {
    const bool shape = shapes_.contains(name) || zeros_.contains(name);
    some = some || shape;
    all = all && (shape || name.empty() || constants_.contains(name));
  }
  if (!all || (!some && node.op != "ConstantOfShape" && node.op != "Expand")) return false;
  const bool zero = node.op == "ConstantOfShape"
                        ? !find(node, "value") || std::all_of(find(node, "value")->t.raw.begin(),
                                                              find(node, "value")->t.raw.end(),
                                                              [](char c) { return c == 0; })
                        : (node.op == "Expand" && is_zero(node.inputs[0]));
  for (const auto& name : node.outputs) {
    shapes_.insert(name);
    if (zero) zeros_.insert(name);
  }
  return true;
}

std::vector<Spec> Foreign::specs() {
  std::vector<Spec> specs;
  for (const auto& input : inputs_) {
    const auto size = [&](Role role) {
      for (std::size_t i = 0; i < input.axes.size(); ++i) {
        const auto told = input.info->axes[i].size;
        if (input.axes[i] == role) return told > 0 ? told : any;
      }
      return any;
    };
    const auto steps = fixed_ ? size(Role::time) : any;
    if (input.ids) {
      specs.push_back(Spec::ids({any, steps}));
    } else if (input.axes.size() == 2) {
      specs.push_back(Spec::f32({any, size(Role::features)}));
    } else {
      specs.push_back(Spec::f32({any, steps, size(Role::features)}));
    }
    if (!input.ids && size(Role::features) == any) {
      troubles_.push_back(
          fmt::format("the input '{}' does not tell how many features it has", input.info->name));
    }
    if (input.masked) specs.back() = specs.back().masked(2);
  }
  return specs;
}

void Foreign::mask_by(const Node& node, const std::string& lengths, const Traced& x) {
  if (!lengths_.contains(lengths)) {
    return trouble(node, fmt::format("its sequence_lens '{}' are no input of the graph", lengths));
  }
  for (const int i : x.inputs) inputs_[static_cast<std::size_t>(i)].masked = true;
}

namespace {

/// No more weights are made than the file holds values.
class ForeignHeld final : public detail::WeightWatch {
 public:
  explicit ForeignHeld(const File& file) : file_(file) {
    for (const auto& data : file.model.graph.initializers) add(data);
    for (const auto& node : file.model.graph.nodes) {
      for (const auto& a : node.attributes) add(a.t);
    }
  }
  Parameter instead(const std::string& path, const Shape& shape) override {
    for (const auto size : shape) {
      if (size > 0 && left_ / size == 0) {
        file_.refuse(
            {fmt::format("the weight {} {} is beyond the values that it holds", path, shape)});
      }
    }
    left_ -= shape.count();
    return {};
  }
  void made(const std::string&, const Parameter&) override {}

 private:
  // Where a bias or a scale is not in the file, there is one here.
  void add(const TensorData& data) { left_ += 16 + 4 * static_cast<std::int64_t>(data.raw.size()); }
  const File& file_;
  std::int64_t left_ = 65536;
};

}  // namespace

AnyLayer Foreign::load() {
  read_inputs();
  for (const auto& node : file_.model.graph.nodes) {
    if (done_.contains(&node)) continue;
    if (about_shapes(node)) continue;
    const Reading read = node.domain.empty() ? reading_of(node.op) : nullptr;
    if (read) {
      read(*this, node);
    } else {
      trouble(node, "the operator has no layer here");
    }
  }
  std::vector<Functional::Node> outputs;
  for (const auto& output : file_.model.graph.outputs) {
    const auto value = values_.find(output.name);
    if (value == values_.end()) {
      if (troubles_.empty()) {
        troubles_.push_back(
            fmt::format("the output '{}' is nothing that is read here", output.name));
      }
      continue;
    }
    outputs.push_back(value->second.node);
    if (value->second.has(Role::directions) && !value->second.side_by_side) {
      outputs.push_back(value->second.second);
    }
  }
  const auto inputs = specs();
  if (troubles_.empty() && outputs.empty()) troubles_.emplace_back("it has no output");
  if (!troubles_.empty()) file_.refuse(troubles_);
  model_.outputs(outputs);
  AnyLayer model(model_);
  {
    const ForeignHeld held(file_);
    build(model, inputs, Seed{0});
  }
  auto& built = *model.as<Functional>();
  for (const auto& [id, weights] : weights_) {
    AnyLayer& layer = built.layer(id);
    const std::string path = layer.info().path;
    std::map<std::string, Parameter> own;
    layer.visit(path, [&](const detail::LayerView& view) {
      for (const auto& [name, p] : view.parameters) own.emplace(name.substr(path.size() + 1), *p);
    });
    for (const auto& [name, values] : weights) {
      const auto found = own.find(name);
      if (found == own.end() ||
          found->second.shape().count() != static_cast<std::int64_t>(values.size())) {
        troubles_.push_back(fmt::format("{} '{}' has not the weight '{}' of {} values",
                                        layer.kind(), path, name, values.size()));
        continue;
      }
      found->second.set(cast(tensor(values, found->second.shape()), found->second.dtype()));
    }
  }
  if (!troubles_.empty()) file_.refuse(troubles_);
  return model;
}

AnyLayer load_foreign(const File& file) {
  return Foreign(file).load();
}

}  // namespace maskgrad::onnx
