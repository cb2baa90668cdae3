#include <maskgrad/layers/model/functional.hpp>

#include <fmt/format.h>

#include <algorithm>

#include <maskgrad/layers/layer/description.hpp>

namespace maskgrad {
namespace {

struct CallOptions {
  std::int64_t layer = 0;
  std::vector<std::int64_t> inputs;

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f(extend::required("layer"), o.layer);
    f(extend::required("inputs"), o.inputs);
  }
};

struct FunctionalOptions {
  std::string name;
  std::vector<std::string> inputs;
  std::vector<extend::JsonPart> layers, calls;
  std::vector<std::int64_t> outputs;

  template <class Self, class F>
  static void each_option(Self& o, F&& f) {
    f("name", o.name);
    f(extend::required("inputs"), o.inputs);
    f(extend::required("layers"), o.layers);
    f(extend::required("calls"), o.calls);
    f(extend::required("outputs"), o.outputs);
  }
};

std::vector<std::int64_t> flat(const std::vector<Functional::Node>& nodes) {
  std::vector<std::int64_t> numbers;
  for (const auto& node : nodes) {
    numbers.push_back(node.call);
    numbers.push_back(node.result);
  }
  return numbers;
}

std::vector<Functional::Node> nodes_of(const std::vector<std::int64_t>& numbers) {
  if (numbers.size() % 2 != 0) {
    fail<OptionError>(Functional::kind,
                      "a list of {} numbers; expected pairs: a call and which of its results",
                      numbers.size());
  }
  std::vector<Functional::Node> nodes;
  for (std::size_t i = 0; i < numbers.size(); i += 2) {
    const auto narrow = [](std::int64_t n) {
      return static_cast<int>(std::clamp<std::int64_t>(n, -1, 1'000'000'000));
    };
    nodes.push_back({narrow(numbers[i]), narrow(numbers[i + 1])});
  }
  return nodes;
}

}  // namespace

Functional::Node Functional::input(std::string name) {
  if (!calls_.empty()) {
    fail<OptionError>(kind, "the input '{}' comes after a call; name all inputs first", name);
  }
  if (name.empty()) name = "input_" + std::to_string(inputs_.size());
  if (std::find(inputs_.begin(), inputs_.end(), name) != inputs_.end()) {
    fail<OptionError>(kind, "two inputs are named '{}'; give each its own name", name);
  }
  inputs_.push_back(std::move(name));
  return {static_cast<int>(inputs_.size()) - 1, 0};
}

Functional::LayerId Functional::layer(AnyLayer layer) {
  names_.add(kind, layer);
  layers_.push_back(std::move(layer));
  return {layers_.size() - 1};
}

void Functional::check(std::string_view where, const std::vector<Node>& nodes) const {
  const auto known = static_cast<int>(inputs_.size() + calls_.size());
  if (nodes.empty()) fail<OptionError>(where, "no tensors are given; expected one or more");
  for (const auto& node : nodes) {
    const bool input = node.call >= 0 && node.call < static_cast<int>(inputs_.size());
    if (node.call >= 0 && node.call < known && node.result >= 0 && (!input || node.result == 0)) {
      continue;
    }
    fail<OptionError>(where,
                      "result {} of call {} is no tensor of this model, which has {} inputs and {} "
                      "calls so far; use what input, call and add of the same model gave",
                      node.result, node.call, inputs_.size(), calls_.size());
  }
}

Functional::Node Functional::call(LayerId layer, const std::vector<Node>& inputs) {
  if (layer.index >= layers_.size()) {
    fail<OptionError>(kind, "layer {} is none of its {} layers; use what .layer gave", layer.index,
                      layers_.size());
  }
  check(fmt::format("{}, call of '{}'", kind, layers_[layer.index].info().name), inputs);
  calls_.push_back({layer.index, inputs});
  return {static_cast<int>(inputs_.size() + calls_.size()) - 1, 0};
}

void Functional::outputs(const std::vector<Node>& nodes) {
  check("Functional, outputs", nodes);
  outputs_ = nodes;
}

std::vector<std::size_t> Functional::last_readers() const {
  std::vector<std::size_t> last(inputs_.size() + calls_.size());
  for (std::size_t c = 0; c < calls_.size(); ++c) {
    for (const auto& node : calls_[c].inputs) last[static_cast<std::size_t>(node.call)] = c;
  }
  for (const auto& node : outputs_) last[static_cast<std::size_t>(node.call)] = calls_.size();
  return last;
}

Tensors Functional::forward(const Tensors& inputs) {
  if (outputs_.empty()) {
    fail<OptionError>(kind, "it has no outputs; name them by model.outputs({{...}})");
  }
  if (inputs.size() != inputs_.size()) {
    fail<ShapeError>(kind, "{} inputs; expected {}: {}", inputs.size(), inputs_.size(),
                     fmt::join(inputs_, ", "));
  }
  built_for_.note(inputs);
  std::vector<Tensors> made;
  for (const auto& x : inputs) made.push_back({x});
  const auto take = [&](const Node& node) {
    const auto& results = made[static_cast<std::size_t>(node.call)];
    if (node.result < static_cast<int>(results.size())) {
      return results[static_cast<std::size_t>(node.result)];
    }
    const auto& from = calls_[static_cast<std::size_t>(node.call) - inputs_.size()];
    fail<OptionError>(kind, "result {} of '{}' is read, which gives {}", node.result,
                      layers_[from.layer].info().name, results.size());
  };
  const auto last = last_readers();
  for (std::size_t c = 0; c < calls_.size(); ++c) {
    Tensors given;
    for (const auto& node : calls_[c].inputs) given.push_back(take(node));
    if (given.size() > 1) given = detail::met(info.path, c, given);
    made.push_back(layers_[calls_[c].layer].call(given));
    for (const auto& node : calls_[c].inputs) {
      const auto read = static_cast<std::size_t>(node.call);
      if (last[read] == c) made[read].clear();
    }
  }
  Tensors results;
  for (const auto& node : outputs_) results.push_back(take(node));
  return results;
}

MaskContract Functional::contract_now() const {
  return detail::contract_of_all(layers_);
}

std::optional<TimeContract> Functional::time_over_context(std::int64_t contexts) const {
  /// None: made of context alone, which limits nothing.
  std::vector<std::optional<TimeContract>> made(inputs_.size());
  for (std::int64_t i = 0; i + contexts < std::ssize(made); ++i) {
    made[static_cast<std::size_t>(i)] = TimeContract{};
  }
  const auto of = [&](const Node& node) { return made[static_cast<std::size_t>(node.call)]; };
  for (const auto& call : calls_) {
    std::optional<TimeContract> read = of(call.inputs[0]);
    std::int64_t over = 0;
    for (const auto& node : call.inputs) {
      const auto other = of(node);
      const bool turned = other && over > 0;  // steps behind context
      over += !other;
      if (turned) read = detail::after(read.value_or(*other), detail::context_unread);
      if (!other || !read) continue;
      const bool meet = other->so_far == read->so_far && other->stride == read->stride;
      read = detail::beside(*read, *other);
      if (!meet) read = detail::after(*read, detail::steps_do_not_meet);
    }
    if (read) read = detail::then(*read, layers_[call.layer], over);
    made.push_back(read);
  }
  std::optional<TimeContract> all;
  for (const auto& node : outputs_) {
    const auto one = of(node);
    if (one) all = all ? detail::beside(*all, *one) : *one;
  }
  return all.value_or(TimeContract{});
}

Functional Functional::from_options(extend::OptionReader& reader) {
  const auto options = extend::read_options<FunctionalOptions>(reader);
  Functional model(options.name);
  for (const auto& name : options.inputs) model.input(name);
  for (const auto& text : options.layers) model.layer(detail::layer_from(kind, text));
  for (const auto& text : options.calls) {
    const auto call = extend::read_options<CallOptions>("Functional, a call", text);
    model.call({static_cast<std::size_t>(call.layer)}, nodes_of(call.inputs));
  }
  model.outputs(nodes_of(options.outputs));
  return model;
}

void Functional::write_options(extend::OptionWriter& writer) const {
  FunctionalOptions options{info.named ? info.name : std::string(), inputs_, {}, {}, {}};
  for (const auto& layer : layers_) options.layers.push_back(detail::part_of(layer));
  for (const auto& call : calls_) {
    CallOptions one{static_cast<std::int64_t>(call.layer), flat(call.inputs)};
    extend::OptionWriter inner;
    CallOptions::each_option(one, inner);
    options.calls.push_back(inner.part());
  }
  options.outputs = flat(outputs_);
  FunctionalOptions::each_option(options, detail::Taking{writer});
}

}  // namespace maskgrad
