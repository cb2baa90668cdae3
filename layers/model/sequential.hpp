#pragma once

#include <vector>

#include <maskgrad/layers/layer/any_layer.hpp>
#include <maskgrad/layers/layer/layer_list.hpp>
#include <maskgrad/layers/model/model.hpp>

namespace maskgrad {

/// Layers one after the other. Names come from the position: `gru`, `gru_1`, unless options give
/// one. A copy shares its weights with the original; `clone` does not.
/// Mask:     what its layers do; the first one that does not accept the mask refuses it.
/// Throws:   OptionError without layers, or where two have the same name.
/// Example:  mg::Sequential tagger{mg::Masking{}, mg::GRU{{.units = 8}}, mg::Dense{{.units = 2}}};
///           tagger.build(mg::Spec::f32({mg::any, mg::any, 3}), mg::Seed{1});
///           tagger(padded);  // [4, 2]
class Sequential {
 public:
  static constexpr std::string_view kind = "Sequential";

  template <class... Ls>
  requires(detail::AreListed<Sequential, Ls...>&& std::is_void_v<
           typename detail::FirstLack<Ls...>::Is>) explicit Sequential(Ls... layers)
      : Sequential(detail::list_of(std::move(layers)...)) {}
  /// One of them is no layer: it lacks what the compiler's error says.
  template <class... Ls, class Lacks = typename detail::FirstLack<Ls...>::Is>
  requires(detail::AreListed<Sequential, Ls...> &&
           !std::is_void_v<Lacks>) explicit Sequential(Ls... layers) = delete;
  explicit Sequential(std::vector<AnyLayer> layers, std::string name = "");
  /// Its layers and its name as options: {"name": ..., "layers": [{"class_name", "config"}, ...]}.
  static Sequential from_options(extend::OptionReader& reader);
  void write_options(extend::OptionWriter& writer) const;

  Tensor operator()(const Tensor& x) { return maskgrad::call(*this, x); }
  /// Under Evaluate alone; StateError otherwise.
  Tensor operator()(const Tensor& x) const { return detail::run_const(*this, {x}).front(); }
  Tensors forward(const Tensors& inputs);
  MaskContract contract_now() const;
  TimeContract time_now() const { return detail::time_of_all(layers_); }

  Tensors build(const Spec& spec, Seed seed = detail::next_default_seed()) {
    return maskgrad::build(*this, spec, seed);
  }
  std::vector<Parameter> parameters() const { return maskgrad::parameters(*this); }
  Tensor predict(const Tensor& x, const PredictOptions& options = {}) {
    return maskgrad::predict(*this, x, options);
  }
  Tensor predict(const Tensor& x, const PredictOptions& options = {}) const {
    return maskgrad::predict(*this, x, options);
  }
  Sequential clone() const { return maskgrad::clone(*this); }
  /// Input steps until an output step is final; `endless` where it needs the whole sequence.
  std::int64_t latency() const { return time_now().look_ahead; }
  /// See maskgrad::mask_flow and summary; for the input that the model was built with.
  Flow mask_flow() { return detail::flow_of(*this, built_for_.metas("mask_flow")); }
  std::string summary() { return detail::summary_of(*this, built_for_.metas("summary")); }

  std::size_t size() const { return layers_.size(); }
  /// A layer by its position or its name, or the only one of a type. IndexError, TypeError, which
  /// list what is there.
  AnyLayer& layer(std::int64_t i) { return detail::layer_at(kind, layers_, i); }
  AnyLayer& layer(std::string_view name) { return detail::layer_named(kind, layers_, name); }
  template <Layer L>
  L& layer() {
    return detail::layer_of<L>(kind, layers_);
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
  std::vector<AnyLayer> layers_;
  extend::BuiltFor built_for_;
};

}  // namespace maskgrad
