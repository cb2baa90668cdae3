#pragma once

#include <vector>

#include <maskgrad/layers/any_layer.hpp>
#include <maskgrad/layers/model/model.hpp>

namespace maskgrad {

/// Layers one after the other. Names come from the position: `gru`, `gru_1`, unless options give
/// one. A copy shares its weights with the original; `clone` does not.
/// Mask:     what its layers do; the first one that does not accept the mask refuses it.
/// Throws:   OptionError without layers, or where two have the same name.
class Sequential {
 public:
  static constexpr std::string_view kind = "Sequential";

  template <Layer... Ls>
  requires(sizeof...(Ls) > 1 || (sizeof...(Ls) == 1 && !(std::same_as<Ls, Sequential> &&
                                                         ...))) explicit Sequential(Ls... layers)
      : Sequential(std::vector<AnyLayer>{AnyLayer(layers)...}) {}
  explicit Sequential(std::vector<AnyLayer> layers, std::string name = "");
  /// Its layers and its name as options: {"name": ..., "layers": [{"class_name", "config"}, ...]}.
  static Sequential from_options(OptionReader& reader);
  void write_options(OptionWriter& writer) const;

  Tensor operator()(const Tensor& x) { return maskgrad::call(*this, x); }
  Tensors forward(const Tensors& inputs);
  MaskContract contract_now() const;

  Tensors build(const Spec& spec, Seed seed = {}) { return maskgrad::build(*this, spec, seed); }
  std::vector<Parameter> parameters() const { return maskgrad::parameters(*this); }
  Tensor predict(const Tensor& x, const PredictOptions& options = {}) {
    return maskgrad::predict(*this, x, options);
  }
  Sequential clone() const { return maskgrad::clone(*this); }
  /// See maskgrad::mask_flow and summary; for the input that the model was built with.
  Flow mask_flow() { return detail::flow_of(*this, built_for_.metas("mask_flow")); }
  std::string summary() { return detail::summary_of(*this, built_for_.metas("summary")); }

  std::size_t size() const { return layers_.size(); }
  AnyLayer& layer(std::size_t i) { return layers_.at(i); }

  /// What it was built with.
  const BuiltFor& built_for() const { return built_for_; }

  template <class Self, class F>
  static void each_layer(Self& self, F&& f) {
    for (auto& layer : self.layers_) f(layer.info().name, layer);
  }

  LayerInfo info;

 private:
  std::vector<AnyLayer> layers_;
  BuiltFor built_for_;
};

}  // namespace maskgrad
