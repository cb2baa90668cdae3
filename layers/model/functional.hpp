#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <maskgrad/layers/layer/any_layer.hpp>
#include <maskgrad/layers/layer/layer_list.hpp>
#include <maskgrad/layers/model/model.hpp>

namespace maskgrad {
namespace detail {
struct FunctionalParts;
}

/// A model of several inputs and outputs, put together call by call. A layer that was added with
/// `layer` may be called often and shares its weights; a Functional is a layer itself.
/// Mask:     what its layers do.
/// Throws:   OptionError where two layers or inputs have one name, for a node of another model, and
///           where there are no outputs; ShapeError for another number of inputs.
/// Source:   Keras 3, functional API.
/// Example:  mg::Functional model;
///           const auto text = model.input("text"), title = model.input("title");
///           const auto encode = model.layer(mg::GRU{{.units = 8}});
///           const auto both = model.add(mg::Concatenate{}, {model.call(encode, {text}),
///                                                           model.call(encode, {title})});
///           model.outputs({model.add(mg::Dense{{.units = 1}}, {both})});
class Functional {
 public:
  static constexpr std::string_view kind = "Functional";

  /// A tensor of the model: an input, or a result of a call. `node[1]` is the call's second result.
  struct Node {
    int call = 0;  ///< inputs first, then calls, in the order in which they were made
    int result = 0;
    Node operator[](int other) const { return {call, other}; }
  };
  struct LayerId {
    std::size_t index = 0;
  };

  explicit Functional(std::string name = "") : info(kind, std::move(name)) {}

  /// A further input; all inputs come before the first call.
  Node input(std::string name = "");
  LayerId layer(AnyLayer layer);
  /// A layer that was added, by what adding it gave, by its position or its name, or the only one
  /// of a type. IndexError, TypeError, which list what is there.
  AnyLayer& layer(LayerId id) { return layer(static_cast<std::int64_t>(id.index)); }
  AnyLayer& layer(std::int64_t i) { return detail::layer_at(kind, layers_, i); }
  AnyLayer& layer(std::string_view name) { return detail::layer_named(kind, layers_, name); }
  template <Layer L>
  L& layer() {
    return detail::layer_of<L>(kind, layers_);
  }
  std::size_t size() const { return layers_.size(); }
  Node call(LayerId layer, const std::vector<Node>& inputs);
  /// Adds a layer and calls it once.
  Node add(AnyLayer added, const std::vector<Node>& inputs) {
    return call(layer(std::move(added)), inputs);
  }
  void outputs(const std::vector<Node>& nodes);

  /// {"name", "inputs", "layers", "calls": [{"layer": 0, "inputs": [call, result, ...]}],
  /// "outputs": [call, result, ...]}.
  static Functional from_options(extend::OptionReader& reader);
  void write_options(extend::OptionWriter& writer) const;

  Tensors operator()(const Tensors& inputs) { return maskgrad::call(*this, inputs); }
  /// Under Evaluate alone; StateError otherwise.
  Tensors operator()(const Tensors& inputs) const { return detail::run_const(*this, inputs); }
  Tensors forward(const Tensors& inputs);
  MaskContract contract_now() const;
  TimeContract time_now() const { return *time_over_context(0); }
  std::optional<TimeContract> time_over_context(std::int64_t contexts) const;

  Tensors build(const std::vector<Spec>& specs, Seed seed = detail::next_default_seed()) {
    return maskgrad::build(*this, specs, seed);
  }
  std::vector<Parameter> parameters() const { return maskgrad::parameters(*this); }
  Tensors predict(const Tensors& inputs, const PredictOptions& options = {}) {
    return maskgrad::predict(*this, inputs, options);
  }
  Tensors predict(const Tensors& inputs, const PredictOptions& options = {}) const {
    return maskgrad::predict(*this, inputs, options);
  }
  Functional clone() const { return maskgrad::clone(*this); }
  /// Input steps until an output step is final; `endless` where it needs the whole sequence.
  std::int64_t latency() const { return time_now().look_ahead; }
  Flow mask_flow() { return detail::flow_of(*this, built_for_.metas("mask_flow")); }
  std::string summary() {
    parameters();  // says so where it was not built
    return detail::summary_of(*this, built_for_.metas("summary"));
  }

  /// What it was built with.
  const extend::BuiltFor& built_for() const { return built_for_; }
  extend::BuiltFor& built_for() { return built_for_; }

  template <class Self, class F>
  static void each_layer(Self& self, F&& f) {
    for (auto& layer : self.layers_) f(layer.info().name, layer);
  }

  LayerInfo info;

 private:
  friend struct detail::FunctionalParts;  // what writes models in other forms
  struct Call {
    std::size_t layer;
    std::vector<Node> inputs;
  };
  void check(std::string_view where, const std::vector<Node>& nodes) const;
  /// The last call that reads each call's results; those of the model live to the end.
  std::vector<std::size_t> last_readers() const;

  std::vector<std::string> inputs_;
  std::vector<AnyLayer> layers_;
  detail::LayerNames names_;
  std::vector<Call> calls_;
  std::vector<Node> outputs_;
  extend::BuiltFor built_for_;
};

}  // namespace maskgrad
